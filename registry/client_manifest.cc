// Client's documents: manifests and indexes by GET and HEAD (OCI distribution-spec v1.1, pulling manifests).
#include "base/text.h"
#include "manifest/media_type.h"
#include "registry/answer_headers.h"
#include "registry/client_impl.h"

#include <utility>
#include <variant>

namespace drover::registry {
namespace {

// Every type by name, because some registries convert what is not named, and anything at all, because some refuse (406) what they
// think is not wanted.
constexpr std::string_view accepted_types =
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws, application/vnd.docker.distribution.manifest.v1+json, */*";

Call manifest_call(const Place& place, std::string method) {
  Call call{.method = std::move(method),
            .target = place.target("/manifests/" + place.reference.manifest_name()),
            .headers = {},
            .body_bytes_max = manifest_bytes_max};
  call.headers.set("Accept", std::string(accepted_types));
  return call;
}

// The digest of what came. A pin decides; else the header's algorithm, if its digest is right. A lying header is reported, the bytes count.
Digest settle_digest(const Context& ctx, const Reference& reference, const std::optional<Digest>& pin, const net::Headers& headers,
                     std::string_view bytes) {
  if (pin) {
    const Digest actual = Digest::of(bytes, pin->algorithm());
    if (actual == *pin) return actual;
    throw Error(ErrorCode::digest_mismatch, printable(reference.registry(), 120) + " sent a manifest with digest " + actual.to_string() + " for " +
                                                pin->to_string() + "; it is not used");
  }
  const std::optional<Digest> claimed = Digest::try_parse(trim(headers.find("docker-content-digest").value_or("")));
  if (claimed && Digest::of(bytes, claimed->algorithm()) == *claimed) return *claimed;
  const Digest actual = Digest::of(bytes);
  if (claimed) {
    ctx.warn(printable(reference.registry(), 120) + " claims digest " + claimed->to_string() + " for " + reference.to_string() + ", its bytes have " +
             actual.to_string() + "; the bytes count");
  }
  return actual;
}

FetchedManifest read_answer(const Context& ctx, const Reference& reference, const std::optional<Digest>& pin, Answer answer) {
  const std::string served_as = content_type(answer.head.headers);
  refuse_web_page(reference, answer.url.authority(), served_as);
  Digest digest = settle_digest(ctx, reference, pin, answer.head.headers, answer.body);
  Document document = parse_document(answer.body, served_as);
  std::string media_type = media_type_of(document);
  Descriptor descriptor{.media_type = std::move(media_type),
                        .digest = std::move(digest),
                        .size = answer.body.size(),
                        .platform = std::nullopt,
                        .annotations = {},
                        .urls = {}};
  return {std::move(descriptor), std::move(answer.body), std::move(document)};
}

}  // namespace

FetchedManifest Client::Impl::fetch_manifest(const Context& ctx, const Reference& wanted, const Reference& asked) {
  const Sources::Need need = asked.digest() ? Sources::Need::content : Sources::Need::tag;
  try {
    return with_retries(ctx, [&] {
      return ask_hedged(ctx, wanted, asked, sources.order(ctx, wanted, need), [&](const Context& inner, const Place& place) {
        Answer answer = session.send(inner, place.reference, place.endpoint, manifest_call(place, "GET"));
        if (!answer.is_good()) throw session.refuse(inner, answer, place.reference);
        if (need == Sources::Need::tag) meter.note_tagged_manifest(place.source.site.registry);
        return read_answer(inner, place.reference, asked.digest(), std::move(answer));
      });
    });
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot read " + asked.familiar());
    throw;
  }
}

FetchedManifest Client::fetch_manifest(const Context& ctx, const Reference& reference) { return impl_->fetch_manifest(ctx, reference, reference); }

FetchedManifest Client::fetch_manifest(const Context& ctx, const Reference& repository, const Descriptor& descriptor) {
  const Reference reference = repository.with_digest(descriptor.digest);
  if (descriptor.size > manifest_bytes_max) {
    throw Error(ErrorCode::size_mismatch, "cannot read " + reference.to_string() + ": a manifest of " + format_bytes(descriptor.size) +
                                              " is larger than the " + format_bytes(manifest_bytes_max) + " that are allowed");
  }
  FetchedManifest fetched = impl_->fetch_manifest(ctx, repository, reference);
  const std::string frame = "cannot read " + reference.to_string() + ": ";
  if (fetched.descriptor.size != descriptor.size) {
    throw Error(ErrorCode::size_mismatch, frame + "it has " + std::to_string(fetched.descriptor.size) + " bytes, its index says " +
                                              std::to_string(descriptor.size));
  }
  if (fetched.descriptor.media_type != descriptor.media_type) {
    throw Error(ErrorCode::invalid, frame + "it is a " + printable(fetched.descriptor.media_type, 120) + ", its index says " +
                                        printable(descriptor.media_type, 120));
  }
  fetched.descriptor = descriptor;  // with platform and annotations
  return fetched;
}

std::optional<ManifestHead> Client::Impl::head_manifest_at(const Context& ctx, const Place& place) {
  const Answer answer = session.send(ctx, place.reference, place.endpoint, manifest_call(place, "HEAD"));
  if (!answer.is_good()) {
    const Error error = session.refuse(ctx, answer, place.reference);
    const bool is_not_here = error.code() == ErrorCode::not_found || error.code() == ErrorCode::authentication;
    if (is_worth_retrying(error) || (place.source.is_mirror && is_not_here)) throw Error(error);
  }
  if (answer.head.status != 200) return std::nullopt;  // the GET that follows has the registry's words
  const net::Headers& headers = answer.head.headers;
  const std::optional<Digest> digest = Digest::try_parse(trim(headers.find("docker-content-digest").value_or("")));
  const std::string type = content_type(headers);
  const bool is_document = is_index_media_type(type) || is_manifest_media_type(type);
  const std::uint64_t size = answer.head.content_length.value_or(0);
  if (!digest || !is_document || size == 0 || size > manifest_bytes_max) return std::nullopt;
  if (place.reference.digest() && *place.reference.digest() != *digest) return std::nullopt;
  return ManifestHead{*digest, type, size};
}

std::optional<ManifestHead> Client::head_manifest(const Context& ctx, const Reference& reference) {
  const Sources::Need need = reference.digest() ? Sources::Need::content : Sources::Need::tag;
  try {
    return impl_->with_retries(ctx, [&] {
      return impl_->ask_hedged(ctx, reference, reference, impl_->sources.order(ctx, reference, need),
                               [&](const Context& inner, const Place& place) { return impl_->head_manifest_at(inner, place); });
    });
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot check " + reference.to_string());
    throw;
  }
}

}  // namespace drover::registry
