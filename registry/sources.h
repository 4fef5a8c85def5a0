// Which source is asked next: the configuration's order first, then how each of them has served in this run.
//
// A mirror that cannot be reached or is out of order is asked last from then on, until it serves again; one that is far slower than who
// comes after it, for good. One that lacks an image, or does not let us see it, is asked last for that image. One that sent wrong bytes is put aside for good. The registry itself keeps
// its place: there is nobody behind it.
#pragma once

#include "base/context.h"
#include "base/error.h"
#include "digest/digest.h"
#include "manifest/descriptor.h"
#include "manifest/reference.h"
#include "registry/mirrors.h"
#include "registry/source.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace drover::registry {

// A mirror that breaks off in the middle is given this many tries in a row before it is asked last.
inline constexpr int cuts_max = 3;

// Thread-safe.
class Sources {
 public:
  enum class Need {
    tag,      // what a tag means now: only who may resolve
    content,  // what a digest names: only who may be pulled from
  };

  explicit Sources(MirrorFiles files) : mirrors_(std::move(files)) {}

  // At least one, best first. `wanted` is the reference as the user wrote it, also where a part of its image is asked for. Throws as
  // Mirrors::find does.
  std::vector<Source> order(const Context& ctx, const Reference& wanted, Need need);
  // The same for one blob, without those that sent wrong bytes for it.
  std::vector<Source> order(const Context& ctx, const Reference& wanted, const Digest& blob);

  // Those of them that one blob may be fetched from side by side: all that are in good standing. The registry itself is always one.
  std::vector<Source> side_by_side(const Context& ctx, const Reference& wanted, const Digest& blob);

  void served(const Source& source, const Reference& wanted);
  // A whole document came within this time.
  void answered_in(const Source& source, std::chrono::milliseconds time);
  // How long its documents take; nothing before the first one.
  std::optional<std::chrono::milliseconds> answer_time(const Source& source) const;
  // Whether it has its place: a mirror that is asked last has not.
  bool is_in_place(const Source& source) const;
  // It is far slower than who comes after it. No effect on the registry itself.
  void slow(const Context& ctx, const std::string& site_key, const std::string& name, const std::string& why);
  void slow(const Context& ctx, const Source& source, const std::string& why);
  // `has_begun`: the answer was good before it broke off.
  void failed(const Context& ctx, const Source& source, const Reference& wanted, const Error& error, bool has_begun);

  // So many bytes of a blob came from there; only for references with more than one source.
  void received(const Source& source, const Digest& blob, std::uint64_t bytes);
  // The blob's bytes are not what its digest says: who sent them is not asked for it again, and if one mirror sent them all, for nothing
  // any more. Whether somebody else is left to be asked.
  bool reject(const Context& ctx, const Reference& wanted, const Descriptor& blob);
  // It has turned out who sent the wrong ones: a mirror is not asked for anything any more ...
  void blame(const Context& ctx, const std::string& site_key, const std::string& name, bool is_mirror, const Digest& blob);
  // ... or that somebody is asked for that blob again although he was suspected.
  void pardon(const std::string& site_key, const Digest& blob);

  // "answered", "asked last: …", "put aside: …"; empty when nothing is known.
  std::string standing(const Source& source, const Reference& wanted) const;
  Mirrors& mirrors() { return mirrors_; }

 private:
  struct Standing {
    int cuts = 0;                    // in a row
    std::string asked_last_because;  // empty: it has its place
    std::string slow_because;        // empty: it is not known to be
    std::optional<std::chrono::milliseconds> answer_time;  // smoothed
    std::string put_aside_because;   // empty: it is not
    std::set<std::string> lacks;     // references
    std::set<std::string> served;    // references

    bool is_last() const { return !asked_last_because.empty() || !slow_because.empty(); }
  };
  std::vector<Source> sort(const std::vector<Source>& sources, const Reference& wanted) const;
  void put_aside(const Context& ctx, const std::string& site_key, const std::string& name, const std::string& why);
  void ask_last(const Context& ctx, const Source& source, const std::string& why);

  Mirrors mirrors_;
  mutable std::mutex mutex_;
  std::map<std::string, Standing> standings_;                             // by site
  std::map<Digest, std::map<std::string, std::uint64_t>> contributions_;  // of bytes, by blob and site
  std::map<Digest, std::set<std::string>> rejected_;                      // sites, by blob
};

}  // namespace drover::registry
