// What a container at the engine is, against what the model asks for. Pure.
#pragma once

#include "compose/create_body.h"
#include "engine/container_details.h"
#include "engine/networks.h"

#include <string>
#include <vector>

namespace drover::compose {

// One thing that is not as it should be. Values of variables, labels, logging options, commands, entrypoints and health checks may be secrets
// and are never here: they read "set" and "another value".
struct Difference {
  std::string path;      // as in a compose file, below the service: "mem_limit", "networks.back.aliases", "environment.TZ"
  std::string expected;  // for people; empty: nothing should be there
  std::string actual;    // likewise

  friend bool operator==(const Difference&, const Difference&) = default;
};

// `image` has the defaults of the image that the container was made of, `networks` those of the engine. What the model leaves to the
// engine (its default runtime, shared memory, log driver, ...) is no difference whatever it is. Labels of docker compose are not
// compared, nor is the image itself: the config hash and the image label tell of those. By path.
std::vector<Difference> find_differences(const CreateBody& expected, const engine::ContainerConfig& image,
                                         const engine::ContainerDetails& actual, const std::vector<engine::Network>& networks);

// "mem_limit: 512 instead of 1024".
std::string to_text(const Difference& difference);

}  // namespace drover::compose
