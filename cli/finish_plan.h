// The end of a --dry-run.
#pragma once

#include "cli/render.h"
#include "cli/session.h"

#include "stack/forecast.h"

namespace drover::cli {

// Prints the plan, as text or as member "plan" of `document`; what the run itself would be refused for is reported as its failure.
ExitCode finish_plan(Session& session, const stack::Forecast& forecast, Json document);

}  // namespace drover::cli
