#include "store/hash_blobs.h"

#include "base/error.h"
#include "base/parallel.h"
#include "digest/hasher.h"
#include "digest/sha256_lanes.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>

namespace drover::store {
namespace {

// Of each blob at a turn: sixteen of them, and what the kernel copies them from, stay in a second-level cache of 2 MiB.
constexpr std::size_t piece_bytes_best = 64U << 10U;
// Of all threads, far from the 1024 that a process may have open by default.
constexpr std::size_t open_files_max = 256;
// Between the buffers of two lanes, so that they do not compete for the same sets of the first-level cache.
constexpr std::size_t stagger_bytes = 64;
// How much the kernel is told to fetch at a time, while at least half of it is still ahead of the hash: requests that disks like.
constexpr std::uint64_t read_ahead_bytes = 4U << 20U;
constexpr std::uint64_t report_bytes = 1U << 20U;

struct Plan {
  std::size_t threads;
  std::size_t width;     // streams that fill the widest row
  std::size_t turn_max;  // blobs of a thread at a time
  std::size_t open_max;  // blobs of all threads
  std::size_t piece_bytes;
};

// Twice as many blobs open as there are lanes, so that those with the most left can have them and all end together, and so that
// pieces of small ones still fill the lanes.
Plan plan_hashing(std::size_t blobs, std::size_t threads, std::size_t width) {
  Plan plan{};
  plan.threads = std::clamp<std::size_t>(threads, 1, std::max<std::size_t>(blobs, 1));
  plan.width = width;
  plan.open_max = std::max(plan.threads, std::min(plan.threads * 2 * width, open_files_max));
  plan.turn_max = plan.open_max / plan.threads;
  plan.piece_bytes = std::min(piece_bytes_best, hash_buffers_bytes_max / (plan.threads * plan.turn_max) - stagger_bytes) / 64 * 64;
  return plan;
}

// A file whose bytes are asked for in order, each part once, before it is their turn.
class AheadReader {
 public:
  AheadReader(OpenBlob file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {
    posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }

  // Fewer bytes than the buffer has, or none left after them, only at the end of the file. Throws io.
  std::size_t read(std::span<std::byte> buffer) {
    if (offset_ + read_ahead_bytes / 2 >= asked_ && asked_ < file_.size) {
      posix_fadvise(file_.fd.get(), static_cast<off_t>(asked_), static_cast<off_t>(read_ahead_bytes), POSIX_FADV_WILLNEED);
      asked_ += read_ahead_bytes;
    }
    const std::size_t n = read_at(file_.fd.get(), buffer, offset_, path_.string());
    offset_ += n;
    return n;
  }

  std::uint64_t rest() const { return file_.size > offset_ ? file_.size - offset_ : 0; }

 private:
  OpenBlob file_;
  std::filesystem::path path_;
  std::uint64_t offset_ = 0;
  std::uint64_t asked_ = 0;  // of the kernel, from the begin
};

// One blob from its first event to its last; opened by the first read. Whatever is wrong with the file becomes its finding.
class BlobCheck {
 public:
  BlobCheck(const std::filesystem::path& root, const StoredBlob& blob, BlobFinding& finding)
      : path_(blob_path(root, blob.digest)), blob_(blob), id_(blob.digest.to_string()), finding_(finding) {}

  bool is_ended() const { return is_ended_; }
  // Bytes left, as far as known.
  std::uint64_t rest() const { return reader_ ? reader_->rest() : blob_.size; }

  // What of rest() has gone since this was asked last; the size at first. A file that has grown since it was listed wraps around.
  std::uint64_t count_progress() {
    const std::uint64_t left = is_ended_ ? 0 : rest();
    return std::exchange(counted_, left) - left;
  }

  // The next bytes for the hash; nothing of a file that is gone or cannot be read, whose check has ended with that.
  std::optional<HashPiece> read(const Context& ctx, std::span<std::byte> buffer) {
    std::size_t n = 0;
    try {
      if (!reader_ && !open(ctx)) return std::nullopt;
      n = reader_->read(buffer);
    } catch (const Error& e) {
      finding_.why = e.what();  // a disk that cannot read it: as good as damaged
      end(ctx);
      return std::nullopt;
    }
    is_last_ = n < buffer.size() || reader_->rest() == 0;
    finding_.bytes += n;
    return HashPiece{.hasher = &*hasher_, .bytes = buffer.first(n)};
  }

  // After the bytes were hashed.
  void take_note(const Context& ctx) {
    if (finding_.bytes - told_ >= report_bytes || (is_last_ && finding_.bytes != told_)) tell(ctx, ProgressEvent::Kind::advanced);
    if (!is_last_) return;
    const Digest actual = hasher_->finish();
    if (actual != blob_.digest) finding_.why = "its " + std::to_string(finding_.bytes) + " bytes have digest " + actual.to_string();
    end(ctx);
  }

 private:
  bool open(const Context& ctx) {
    tell(ctx, ProgressEvent::Kind::started);
    hasher_.emplace(blob_.digest.algorithm());
    if (std::optional<OpenBlob> file = open_blob(path_)) reader_.emplace(std::move(*file), path_);
    else end(ctx);  // discarded by another process since it was listed; missing, if anything
    return !is_ended_;
  }

  void end(const Context& ctx) {
    is_ended_ = true;
    reader_.reset();
    tell(ctx, finding_.why ? ProgressEvent::Kind::failed : ProgressEvent::Kind::finished);
  }

  void tell(const Context& ctx, ProgressEvent::Kind kind) {
    told_ = finding_.bytes;
    const std::string_view text = finding_.why ? std::string_view(*finding_.why) : std::string_view();
    ctx.progress->on({.kind = kind, .phase = "verify", .id = id_, .label = id_, .done = told_, .total = blob_.size, .text = text});
  }

  std::filesystem::path path_;
  StoredBlob blob_;
  std::string id_;
  BlobFinding& finding_;
  std::optional<AheadReader> reader_;
  std::optional<Hasher> hasher_;
  std::uint64_t told_ = 0;
  std::uint64_t counted_ = blob_.size;
  bool is_last_ = false;
  bool is_ended_ = false;
};

using Turn = std::vector<std::unique_ptr<BlobCheck>>;

// The blobs that are not yet begun and those that wait for their next turn. Thread-safe. A blob goes on with whichever thread has
// room for it, so that all threads have something to do to the end.
class Pool {
 public:
  Pool(const std::filesystem::path& root, std::span<const StoredBlob> blobs, std::span<BlobFinding> findings, const Plan& plan)
      : root_(root), blobs_(blobs), findings_(findings), plan_(plan), order_(blobs.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    for (const StoredBlob& blob : blobs) rest_ += blob.size;
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) { return blobs[a].size > blobs[b].size; });
  }

  // Those with the most left, as many as give every lane a whole piece, but no more than this thread's share. None: it has
  // nothing more to do, now or later.
  Turn take() {
    const std::lock_guard lock(mutex_);
    for (; open_ < plan_.open_max && next_ < order_.size(); ++open_, ++next_) {
      const std::size_t i = order_[next_];
      waiting_.push_back(std::make_unique<BlobCheck>(root_, blobs_[i], findings_[i]));
    }
    std::sort(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) { return a->rest() < b->rest(); });
    Turn turn;
    if (waiting_.empty()) return turn;
    const std::uint64_t largest = waiting_.back()->rest();
    const std::size_t together = find_turn_size(largest, rest_ - std::min(rest_, largest), plan_.threads, plan_.turn_max);
    const std::size_t share = std::min(std::clamp<std::size_t>(open_ / plan_.threads, 1, plan_.turn_max), together);
    const std::uint64_t wanted = plan_.width * plan_.piece_bytes;
    for (std::uint64_t bytes = 0; turn.size() < share && bytes < wanted && !waiting_.empty(); waiting_.pop_back()) {
      bytes += std::min<std::uint64_t>(waiting_.back()->rest(), plan_.piece_bytes);
      turn.push_back(std::move(waiting_.back()));
    }
    return turn;
  }

  void put_back(Turn turn) {
    const std::lock_guard lock(mutex_);
    for (auto& check : turn) {
      rest_ -= check->count_progress();
      if (check->is_ended()) --open_;
      else waiting_.push_back(std::move(check));
    }
  }

 private:
  const std::filesystem::path& root_;
  std::span<const StoredBlob> blobs_;
  std::span<BlobFinding> findings_;
  const Plan& plan_;
  std::mutex mutex_;
  std::vector<std::size_t> order_;  // of blobs_: the largest first
  std::size_t next_ = 0;            // of order_
  std::uint64_t rest_ = 0;          // bytes left of all blobs, as of their last turn
  std::size_t open_ = 0;            // begun and not ended: those waiting_, and those that a thread has
  Turn waiting_;
};

void hash_turn(const Context& ctx, const Sha256Lanes& lanes, const Turn& turn, std::span<std::byte> buffers,
               std::size_t piece_bytes) {
  std::vector<HashPiece> pieces;
  std::vector<BlobCheck*> read;
  for (std::size_t i = 0; i < turn.size(); ++i) {
    ctx.check_stop();  // before each read: a disk may take its time for one
    const auto piece = turn[i]->read(ctx, buffers.subspan(i * (piece_bytes + stagger_bytes), piece_bytes));
    if (!piece) continue;
    pieces.push_back(*piece);
    read.push_back(turn[i].get());
  }
  Hasher::update(lanes, pieces);
  for (BlobCheck* check : read) check->take_note(ctx);
}

}  // namespace

std::size_t find_turn_size(std::uint64_t largest, std::uint64_t others, std::size_t threads, std::size_t turn_max) {
  if (threads == 1) return others > largest ? turn_max : 2;
  constexpr double gain = 1.6;
  const double of_each_thread = static_cast<double>(others) / static_cast<double>(threads - 1);
  return of_each_thread > gain * static_cast<double>(largest) ? turn_max : 1;
}

std::vector<BlobFinding> hash_blobs(const Context& ctx, const std::filesystem::path& root, std::span<const StoredBlob> blobs,
                                    std::size_t threads) {
  const std::uint64_t bytes = std::accumulate(blobs.begin(), blobs.end(), std::uint64_t{0},
                                              [](std::uint64_t sum, const StoredBlob& blob) { return sum + blob.size; });
  const Sha256Lanes lanes(bytes);
  const Plan plan = plan_hashing(blobs.size(), threads, lanes.width());
  std::vector<BlobFinding> findings(blobs.size());
  Pool pool(root, blobs, findings, plan);
  parallel_for_each(ctx, plan.threads, plan.threads, [&](const Context& inner, std::size_t) {
    std::vector<std::byte> buffers(plan.turn_max * (plan.piece_bytes + stagger_bytes));
    for (Turn turn = pool.take(); !turn.empty(); turn = pool.take()) {
      hash_turn(inner, lanes, turn, buffers, plan.piece_bytes);
      pool.put_back(std::move(turn));
    }
  });
  return findings;
}

}  // namespace drover::store
