#include "registry/blob_address.h"

#include "registry/authenticator.h"
#include "registry/credentials.h"
#include "registry/hosts.h"
#include "registry/meter.h"
#include "registry/mirrors.h"
#include "registry/pace.h"
#include "registry/session.h"
#include "registry/source.h"

#include <mutex>
#include <set>

namespace drover::registry {

struct BlobAddresses::Impl {
  Impl(net::Transport& transport, const ClientOptions& options)
      : mirrors(options.mirrors), pace(options.retry), hosts(transport, options, meter),
        credentials(options.credential_files, options.program_path), authenticator(transport, hosts, credentials, pace, meter),
        session(transport, hosts, authenticator, pace, meter) {}

  // Once a repository: then its registry has said what it wants.
  bool is_first_of(const Reference& repository) {
    const std::lock_guard lock(mutex);
    return asked.insert(repository.name()).second;
  }

  Mirrors mirrors;
  Meter meter;
  Pace pace;
  Hosts hosts;
  Credentials credentials;
  Authenticator authenticator;
  Session session;
  std::mutex mutex;
  std::set<std::string> asked;
};

BlobAddresses::BlobAddresses(net::Transport& transport, const ClientOptions& options)
    : impl_(std::make_unique<Impl>(transport, options)) {}

BlobAddresses::~BlobAddresses() = default;

BlobAddress BlobAddresses::find(const Context& ctx, const Reference& repository, const Descriptor& descriptor) {
  const Source itself = impl_->mirrors.find(ctx, repository).back();
  const Reference reference = repository.at(itself.site.registry, itself.repository);
  const Endpoint endpoint = impl_->hosts.endpoint(ctx, itself.site, {});
  const std::string target = "/" + reference.repository() + "/blobs/" + descriptor.digest.to_string();
  if (impl_->is_first_of(reference))
    impl_->session.send(ctx, reference, endpoint, {.method = "HEAD", .target = target, .headers = {}});
  const GrantPtr grant = impl_->authenticator.find(ctx, reference, endpoint);
  net::Url url = endpoint.url;
  url.target = endpoint.api + target;
  BlobAddress address{.url = url.to_string(), .tls = endpoint.tls};
  if (grant) address.headers.emplace_back("authorization", grant->header);
  for (const SiteHeader& header : endpoint.headers) address.headers.emplace_back(header.name, header.value);
  return address;
}

}  // namespace drover::registry
