// Where a registry serves a blob, for a program that knows nothing of registries but follows redirects.
#pragma once

#include "base/context.h"
#include "manifest/descriptor.h"
#include "manifest/reference.h"
#include "net/transport.h"
#include "registry/client.h"
#include "registry/secret.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace drover::registry {

struct BlobAddress {
  std::string url;
  std::vector<std::pair<std::string, Secret>> headers = {};  // to the URL's own origin alone; a token of the moment among them
  net::TlsOptions tls = {};
};

// Of the registries themselves, not of their mirrors. Thread-safe.
class BlobAddresses {
 public:
  // Borrows the transport.
  BlobAddresses(net::Transport& transport, const ClientOptions& options);
  ~BlobAddresses();
  BlobAddresses(const BlobAddresses&) = delete;
  BlobAddresses& operator=(const BlobAddresses&) = delete;

  // May ask for the blob's head, to learn which token goes with it; one that has run out is fetched anew. Throws network,
  // authentication, rate_limited.
  BlobAddress find(const Context& ctx, const Reference& repository, const Descriptor& descriptor);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::registry
