// Client's blobs: one range at a time, from wherever the registry keeps them (OCI distribution-spec v1.1, pulling blobs).
#include "base/text.h"
#include "digest/digest.h"
#include "registry/blob_receiver.h"
#include "registry/client_impl.h"

#include <optional>
#include <utility>

namespace drover::registry {
namespace {

Call blob_call(const Place& place, const Descriptor& descriptor, ByteRange range) {
  Call call{.method = "GET",
            .target = place.target("/blobs/" + descriptor.digest.to_string()),
            .headers = {},
            .body_bytes_max = 0};
  call.headers.set("Accept", "*/*");
  call.headers.set("Accept-Encoding", "identity");
  if (range.begin != 0 || range.end != descriptor.size) {
    call.headers.set("Range", "bytes=" + std::to_string(range.begin) + "-" + std::to_string(range.end - 1));
  }
  return call;
}

bool has_range(const Call& call) { return call.headers.find("range").has_value(); }

// A signed URL that has run out, in the words of the object stores (400 is Google's and S3's).
bool is_refused_target(int status) { return status == 400 || status == 401 || status == 403 || status == 404 || status == 410; }

void check_range(const Descriptor& descriptor, ByteRange range) {
  const bool is_whole = range.begin == 0 && range.end == descriptor.size;
  if (is_whole || (range.begin < range.end && range.end <= descriptor.size)) return;
  throw Error(ErrorCode::usage, "bytes " + std::to_string(range.begin) + " to " + std::to_string(range.end) + " are no part of " +
                                    descriptor.digest.to_string());
}

}  // namespace

// One request for one range; the caller repeats it where a server sends less than was asked.
class Client::Impl::BlobRequest {
 public:
  BlobRequest(Impl& impl, const Context& ctx, const Place& place, const Descriptor& descriptor, ByteRange range, const BlobSink& sink)
      : impl_(impl),
        ctx_(ctx),
        place_(place),
        key_(blob_key(place.source, descriptor.digest)),
        home_(place.endpoint.url.origin()),
        call_(blob_call(place, descriptor, range)),
        receiver_(place.reference, descriptor, range, sink, [this](const net::Url& from) { found(from); }) {}

  BlobReceiver& receiver() { return receiver_; }

  // Throws what the answer means when it is no good one.
  BlobAnswer run() {
    const Answer answer = send();
    if (!answer.is_good()) {
      // Ranges that this server answers with 400 (registry.k8s.io#333) or 416 although they lie inside of the blob.
      if (has_range(call_) && (answer.head.status == 416 || answer.head.status == 400)) return too_late(answer.url);
      throw impl_.session.refuse(ctx_, answer, place_.reference);
    }
    if (receiver_.verdict() == BlobReceiver::Verdict::mangled) {
      if (has_range(call_)) return too_late(answer.url);
      throw Error(ErrorCode::network, answer.url.authority() + " answered " + std::to_string(answer.head.status) + " without the blob that was asked for");
    }
    const bool is_whole = receiver_.verdict() == BlobReceiver::Verdict::whole;
    if (is_whole && has_range(call_)) note_no_ranges(answer.url);
    if (!receiver_.is_stopped() && receiver_.next() < receiver_.end()) {
      throw Error(ErrorCode::network, answer.url.authority() + " ended at byte " + std::to_string(receiver_.next()) + " of " +
                                          std::to_string(receiver_.end()));
    }
    return {is_whole ? BlobAnswer::Kind::whole : BlobAnswer::Kind::range};
  }

 private:
  // Targets that refuse are given up; after that many the registry's own answer counts, whatever it is.
  static constexpr int targets_max = 3;

  Answer send() {
    for (int targets = 0; targets < targets_max; ++targets) {
      const BlobRoutes::Route route = impl_.routes.find(ctx_, key_);
      if (route.way != BlobRoutes::Way::target) {
        asking_.emplace(impl_.routes, key_, route.way == BlobRoutes::Way::ask);
        break;
      }
      Answer answer = send_to(route.target);
      if (!is_refused_target(answer.head.status)) return answer;
      ctx_.debug(answer.url.authority() + " answered " + std::to_string(answer.head.status) + " to a known URL; asking the registry anew");
      impl_.routes.forget(key_, route.target);
    }
    Answer answer = impl_.session.send(ctx_, place_.reference, place_.endpoint, call_, &receiver_);
    asking_.reset();
    return answer;
  }

  Answer send_to(const net::Url& target) {
    try {
      return impl_.session.send_to(ctx_, place_.reference, place_.endpoint, target, call_, &receiver_);
    } catch (const Error& error) {
      // Cut in the middle, the URL is as good as before; unreachable, another one may lead elsewhere.
      if (error.code() == ErrorCode::network && receiver_.verdict() == BlobReceiver::Verdict::none) impl_.routes.forget(key_, target);
      throw;
    }
  }

  void found(const net::Url& from) {
    if (asking_) asking_->found(ctx_, from, home_);
  }

  void note_no_ranges(const net::Url& from) {
    if (impl_.routes.has_ranges(from.origin())) ctx_.debug(from.authority() + " does not serve ranges; asking it for whole blobs");
    impl_.routes.note_no_ranges(from.origin());
  }

  BlobAnswer too_late(const net::Url& from) {
    note_no_ranges(from);
    return {BlobAnswer::Kind::too_late};
  }

  Impl& impl_;
  const Context& ctx_;
  const Place& place_;
  const std::string key_;
  const std::string home_;
  const Call call_;
  BlobReceiver receiver_;
  std::optional<Asking> asking_;
};

// `range` becomes what is still missing, so that another source can go on there.
BlobAnswer Client::Impl::fetch_range_at(const Context& ctx, Place& place, const Descriptor& descriptor, ByteRange& range, const BlobSink& sink) {
  for (;;) {
    BlobRequest request(*this, ctx, place, descriptor, range, sink);
    const BlobReceiver& receiver = request.receiver();
    const auto take_stock = [&] {
      const bool is_whole = receiver.verdict() == BlobReceiver::Verdict::whole;
      place.has_begun = is_whole || receiver.verdict() == BlobReceiver::Verdict::range;
      if (!place.has_begun || (is_whole && range != ByteRange{0, descriptor.size})) return;  // nothing, or not what was asked for
      sources.received(place.source, descriptor.digest, receiver.next() - range.begin);
      range.begin = receiver.next();
    };
    try {
      const BlobAnswer answer = request.run();
      take_stock();
      if (answer.kind != BlobAnswer::Kind::range || receiver.is_stopped() || range.begin >= range.end) return answer;
      // A server that clamps: the rest is another range.
    } catch (const Error&) {
      take_stock();
      if (place.has_begun && range.begin >= range.end) return {BlobAnswer::Kind::range};  // it broke after the last byte
      throw;
    }
  }
}

BlobAnswer Client::fetch_range(const Context& ctx, const Reference& repository, const Descriptor& descriptor, ByteRange range,
                               const BlobSink& sink) {
  check_range(descriptor, range);
  try {
    return impl_->ask_in_turn(ctx, repository, repository, impl_->sources.order(ctx, repository, descriptor.digest),
                              [&](Place& place) { return impl_->fetch_range_at(ctx, place, descriptor, range, sink); });
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot fetch " + descriptor.digest.to_string() + " of " + repository.name());
    throw;
  }
}

std::vector<BlobSource> Client::blob_sources(const Context& ctx, const Reference& repository, const Descriptor& descriptor) {
  std::vector<BlobSource> sources;
  for (const Source& source : impl_->sources.side_by_side(ctx, repository, descriptor.digest)) {
    sources.push_back({.name = source.site.registry,
                       .key = source.site.key(),
                       .is_mirror = source.is_mirror,
                       .has_ranges = impl_->has_ranges(source, descriptor.digest)});
  }
  return sources;
}

BlobAnswer Client::fetch_range_from(const Context& ctx, const BlobSource& from, const Reference& repository, const Descriptor& descriptor,
                                    ByteRange range, const BlobSink& sink) {
  check_range(descriptor, range);
  std::vector<Source> sources = impl_->sources.side_by_side(ctx, repository, descriptor.digest);
  std::erase_if(sources, [&](const Source& source) { return source.site.key() != from.key; });
  try {
    if (sources.empty()) throw Error(ErrorCode::not_found, printable(from.name, 120) + " is not asked for it any more");
    sources.resize(1);
    return impl_->ask_one(ctx, repository, repository, sources.front(), [&](Place& place) {
      return impl_->fetch_range_at(ctx, place, descriptor, range, sink);
    });
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot fetch " + descriptor.digest.to_string() + " of " + repository.name());
    throw;
  }
}

void Client::note_slow(const Context& ctx, const BlobSource& source) {
  if (source.is_mirror) impl_->sources.slow(ctx, source.key, printable(source.name, 120), "it is far slower than who comes after it");
}

const Patience& Client::patience() const { return impl_->options.patience; }

void Client::blame(const Context& ctx, const BlobSource& source, const Descriptor& descriptor) {
  impl_->sources.blame(ctx, source.key, printable(source.name, 120), source.is_mirror, descriptor.digest);
}

void Client::pardon(const BlobSource& source, const Descriptor& descriptor) { impl_->sources.pardon(source.key, descriptor.digest); }

bool Client::reject_blob(const Context& ctx, const Reference& repository, const Descriptor& descriptor) {
  return impl_->sources.reject(ctx, repository, descriptor);
}

bool Client::Impl::has_ranges(const Source& source, const Digest& blob) const {
  const std::optional<std::string> home = hosts.known_origin(source.site);
  return !home || routes.has_ranges(routes.origin(blob_key(source, blob), *home));
}

bool Client::can_range(const Reference& repository, const Descriptor& descriptor) const {
  return impl_->has_ranges(impl_->sources.order(Context{}, repository, descriptor.digest).front(), descriptor.digest);
}

std::string Client::fetch_blob(const Context& ctx, const Reference& repository, const Descriptor& descriptor, std::uint64_t bytes_max) {
  const std::string frame = "cannot fetch " + descriptor.digest.to_string() + " of " + repository.name();
  if (descriptor.size > bytes_max) {
    throw Error(ErrorCode::size_mismatch, frame + ": " + format_bytes(descriptor.size) + " are more than the " + format_bytes(bytes_max) +
                                              " that are allowed here");
  }
  const auto fetch_at = [&](const Context& inner, Place& place) {
    std::string received;
    ByteRange range{0, descriptor.size};
    impl_->fetch_range_at(inner, place, descriptor, range, [&](std::uint64_t, std::span<const std::byte> piece) {
      received.append(as_text(piece));
      return true;
    });
    if (received.size() == descriptor.size && Digest::of(received, descriptor.digest.algorithm()) == descriptor.digest) return received;
    throw Error(ErrorCode::digest_mismatch,
                printable(place.source.site.registry, 120) + " sent other bytes than the digest's; they are not used");
  };
  try {
    return impl_->with_retries(ctx, [&] {
      return impl_->ask_hedged(ctx, repository, repository, impl_->sources.order(ctx, repository, descriptor.digest), fetch_at);
    });
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame(frame);
    throw;
  }
}

}  // namespace drover::registry
