// How long services were down, by the engine's events. Pure.
#pragma once

#include "compose/plan.h"
#include "engine/timestamp.h"

#include <map>
#include <string>

namespace drover::stack {

struct LifeTimes {
  std::map<std::string, engine::Timestamp> died = {};     // by container's ID, the last time
  std::map<std::string, engine::Timestamp> started = {};  // the first time in the run
};

// By service, the longest of its containers, seconds. A start belongs to the stops of its service that it waits for, directly or by others;
// one that waits for none (the way back) to the death of its own container. Services of which an event is missing are left out.
std::map<std::string, double> measure_down_seconds(const compose::Plan& plan, const compose::CreatedIds& created, const LifeTimes& times);

}  // namespace drover::stack
