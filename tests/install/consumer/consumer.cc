#include "compose/project.h"
#include "registry/client.h"
#include "store/blob_store.h"

#include <iostream>

// Asks nobody: it shows that what is installed can be found, compiled and linked, third-party libraries included.
int main(int, char** argv) {
  drover::net::Transport transport;
  const drover::registry::Client client(transport, {});
  const auto store = drover::store::BlobStore::open(argv[2], drover::store::BlobStore::Access::write);
  const auto project = drover::compose::load_project(
      {.files = {"-"}, .working_directory = "/", .standard_input = "{name: mine, services: {a: {image: memcached:1.6}}}"});
  std::cout << drover::Reference::parse(argv[1]).to_string() << " " << project.services.size() << " service, "
            << store.tags().size() + client.counters().requests << " tags\n";
}
