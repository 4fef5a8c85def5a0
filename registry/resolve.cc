#include "registry/resolve.h"

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "manifest/media_type.h"
#include "registry/documents.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

namespace drover::registry {
namespace {

constexpr std::size_t requests_at_once = 8;  // small documents: the round trips cost, not the bytes

bool is_image_config(std::string_view type) { return type == media_type::oci_config || type == media_type::docker_config; }

bool is_attestation(const Descriptor& descriptor) {
  const auto type = descriptor.annotations.find("vnd.docker.reference.type");
  return (descriptor.platform && descriptor.platform->is_unknown()) ||
         (type != descriptor.annotations.end() && type->second == "attestation-manifest");
}

bool is_wanted(const PlatformChoice& choice, const Platform& platform) {
  return choice.all || std::any_of(choice.wanted.begin(), choice.wanted.end(), [&](const Platform& p) { return match_rank(p, platform).has_value(); });
}

// Nothing for an artifact: it has no image configuration.
std::optional<ResolvedImage> complete_image(const Context& ctx, Documents& documents, const Reference& reference, FetchedManifest manifest) {
  const Manifest* const document = std::get_if<Manifest>(&manifest.document);
  if (document == nullptr || document->artifact_type || !is_image_config(document->config.media_type)) return std::nullopt;
  try {
    Documents::Config fetched = documents.config(ctx, document->config);
    ImageConfig config = parse_image_config(fetched.bytes);
    check_layers_match(*document, config);
    Platform platform = manifest.descriptor.platform ? normalise(*manifest.descriptor.platform) : config.platform;
    return ResolvedImage{.platform = std::move(platform),
                         .chosen_for = {},
                         .manifest = std::move(manifest),
                         .config_bytes = std::move(fetched.bytes),
                         .config = std::move(config),
                         .config_was_stored = fetched.was_stored};
  } catch (Error& error) {
    if (error.code() != ErrorCode::interrupted) error.add_frame("cannot read " + reference.familiar());
    throw;
  }
}

// The leaves of an index and of those nested in it, in order.
class Leaves {
 public:
  Leaves(const Context& ctx, Documents& documents, const Reference& reference, const PlatformChoice& choice, ResolvedReference& result)
      : ctx_(ctx), documents_(documents), reference_(reference), choice_(choice), result_(result) {}

  void collect(const Index& index, int depth) {
    for (const Descriptor& child : index.manifests) {
      if (!is_index_media_type(child.media_type)) {
        add(child);
      } else if (child.platform && !is_wanted(choice_, *child.platform)) {
        result_.other_platforms.push_back(child);
      } else {
        descend(child, depth + 1);
      }
    }
  }

  const std::vector<Descriptor>& list() const { return list_; }

 private:
  void add(const Descriptor& child) {
    if (!seen_.insert(child).second) return;
    if (list_.size() == index_children_max) {
      throw Error(ErrorCode::invalid, "cannot read " + reference_.to_string() + ": more than " + std::to_string(index_children_max) + " images in it");
    }
    list_.push_back(child);
  }

  void descend(const Descriptor& child, int depth) {
    if (depth > index_depth_max) {
      throw Error(ErrorCode::invalid, "cannot read " + reference_.to_string() + ": indexes nested deeper than " + std::to_string(index_depth_max));
    }
    if (!indexes_.insert(child.digest).second) return;
    FetchedManifest fetched = documents_.manifest(ctx_, child);
    result_.reasons.push_back("nested index " + child.digest.to_string());
    const Document document = fetched.document;
    result_.indexes.push_back(std::move(fetched));
    if (const Index* const nested = std::get_if<Index>(&document)) collect(*nested, depth);
  }

  struct SameEntry {
    bool operator()(const Descriptor& a, const Descriptor& b) const {
      return std::tie(a.digest, a.platform) < std::tie(b.digest, b.platform);
    }
  };

  const Context& ctx_;
  Documents& documents_;
  const Reference& reference_;
  const PlatformChoice& choice_;
  ResolvedReference& result_;
  std::vector<Descriptor> list_;
  std::set<Descriptor, SameEntry> seen_;
  std::set<Digest> indexes_;
};

// One index's journey: leaves, those that are chosen, their documents.
class IndexResolver {
 public:
  IndexResolver(const Context& ctx, Documents& documents, const PlatformChoice& choice, ResolvedReference& result)
      : ctx_(ctx), documents_(documents), choice_(choice), result_(result) {}

  void run(const Index& root) {
    Leaves leaves(ctx_, documents_, result_.reference, choice_, result_);
    leaves.collect(root, 1);
    flat_.media_type = root.media_type;
    flat_.manifests = leaves.list();
    fill_in_platforms();
    choose();
    complete();
  }

 private:
  // An entry may leave its platform to the image's configuration: then that is read before choosing.
  void fill_in_platforms() {
    parallel_for_each(ctx_, flat_.manifests.size(), requests_at_once, [&](const Context& inner, std::size_t i) {
      Descriptor& entry = flat_.manifests[i];
      if (entry.platform || !is_manifest_media_type(entry.media_type) || is_attestation(entry)) return;
      const std::optional<ResolvedImage> image =
          complete_image(inner, documents_, result_.reference, documents_.manifest(inner, entry));
      entry.platform = image ? image->config.platform : Platform{.os = "unknown", .architecture = "unknown", .variant = {}, .os_version = {}, .os_features = {}};
    });
  }

  void choose() {
    for (const Platform& wanted : choice_.wanted) {
      const Selection selection = select_manifest(flat_, wanted);
      for (const std::string& reason : selection.reasons) result_.reasons.push_back("for " + wanted.to_string() + ": " + reason);
      if (!selection.chosen) {
        result_.missing.push_back(wanted);
      } else {
        served_[selection.chosen->digest].push_back(wanted);
      }
    }
    for (const Descriptor& entry : flat_.manifests) {
      const bool is_image = is_manifest_media_type(entry.media_type) && !is_attestation(entry);
      const bool is_new = std::none_of(chosen_.begin(), chosen_.end(), [&](const Descriptor& d) { return d.digest == entry.digest; });
      if (is_new && (served_.contains(entry.digest) || (choice_.all && is_image))) {
        chosen_.push_back(entry);
      } else {
        result_.other_platforms.push_back(entry);
      }
    }
  }

  void complete() {
    documents_.expect(chosen_);
    std::vector<std::optional<ResolvedImage>> images(chosen_.size());
    parallel_for_each(ctx_, chosen_.size(), requests_at_once, [&](const Context& inner, std::size_t i) {
      images[i] = complete_image(inner, documents_, result_.reference, documents_.manifest(inner, chosen_[i]));
    });
    for (std::size_t i = 0; i < images.size(); ++i) {
      std::vector<Platform> served = served_[chosen_[i].digest];
      if (!images[i]) {
        result_.reasons.push_back(chosen_[i].digest.to_string() + ": skipped, not an image");
        result_.missing.insert(result_.missing.end(), served.begin(), served.end());
        result_.other_platforms.push_back(chosen_[i]);
        continue;
      }
      images[i]->chosen_for = std::move(served);
      result_.images.push_back(std::move(*images[i]));
    }
  }

  const Context& ctx_;
  Documents& documents_;
  const PlatformChoice& choice_;
  ResolvedReference& result_;
  Index flat_;
  std::map<Digest, std::vector<Platform>> served_;
  std::vector<Descriptor> chosen_;
};

// A reference without an index: one image, for whatever platform it was built.
void resolve_single(const Context& ctx, Documents& documents, const PlatformChoice& choice, ResolvedReference& result) {
  std::optional<ResolvedImage> image = complete_image(ctx, documents, result.reference, result.root);
  if (!image) {
    result.reasons.push_back(result.root.descriptor.digest.to_string() + ": an artifact, not an image");
    result.missing = choice.wanted;
    return;
  }
  for (const Platform& wanted : choice.wanted) {
    (match_rank(wanted, image->platform) ? image->chosen_for : result.missing).push_back(wanted);
  }
  const bool is_chosen = choice.all || !image->chosen_for.empty();
  result.reasons.push_back(image->platform.to_string() + " " + result.root.descriptor.digest.to_string() +
                           (is_chosen ? ": chosen, the only image" : ": not chosen, the only image is for another platform"));
  if (is_chosen) {
    result.images.push_back(std::move(*image));
  } else {
    Descriptor other = result.root.descriptor;
    other.platform = image->platform;
    result.other_platforms.push_back(std::move(other));
  }
}

}  // namespace

ResolvedReference resolve(const Context& ctx, Client& client, const Reference& reference, const PlatformChoice& platforms,
                          const store::BlobStore* store) {
  Documents documents(client, store, reference);
  ResolvedReference result{.reference = reference,
                           .root = documents.root(ctx),
                           .indexes = {},
                           .images = {},
                           .other_platforms = {},
                           .reasons = {},
                           .missing = {}};
  const Document root = result.root.document;
  if (const Index* const index = std::get_if<Index>(&root)) {
    IndexResolver(ctx, documents, platforms, result).run(*index);
  } else {
    resolve_single(ctx, documents, platforms, result);
  }
  return result;
}

}  // namespace drover::registry
