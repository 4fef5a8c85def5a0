// Short forms made long: `ports: ["80:80"]`, `volumes: ["./conf:/etc:ro"]`, `env_file: x.env`, `depends_on: [db]`, ...
#pragma once

#include "compose/node.h"

namespace drover::compose {

enum class BrokenShortForm {
  refuse,
  keep,  // it may hold variables that were not replaced
};

// Which places have short forms is a table in canonical.cc. The tree must have passed check_schema. Throws invalid with place and
// path for a short form that is broken.
void make_canonical(Node& project, BrokenShortForm broken = BrokenShortForm::refuse);

// What docker compose fills in once all files are merged, before paths are made absolute: build context, protocol and mode of
// ports, target of secrets, count of devices.
void set_defaults(Node& project);

}  // namespace drover::compose
