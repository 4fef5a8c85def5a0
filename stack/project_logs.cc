#include "stack/project_logs.h"

#include "base/text.h"
#include "compose/labels.h"
#include "engine/events.h"
#include "stack/ledger.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace drover::stack {
namespace {

constexpr std::size_t unread_lines_max = 1000;           // of a container whose lines are ahead of the others'
constexpr std::chrono::milliseconds look_interval{500};  // at whether somebody still runs
constexpr std::chrono::milliseconds patience{2000};      // with nobody running: a container may be restarting

LogLine about(const engine::ContainerSummary& container) {
  return {.container = container.name, .service = service_of(container.labels)};
}

std::vector<engine::ContainerSummary>
list(const Context& ctx, engine::Client& client, const ProjectLogsOptions& options, const std::set<std::string>& known_services) {
  ContainerChoice choice = options.choice;
  choice.with_stopped = true;
  std::vector<engine::ContainerSummary> containers = list_project_containers(ctx, client, choice, known_services);
  std::erase_if(containers, [&](const engine::ContainerSummary& container) {
    return options.index && compose::label_of(container.labels, compose::number_label) != std::to_string(*options.index);
  });
  return containers;
}

Error named(Error error, const std::string& container) {
  return error.add_frame("cannot read the log of container " + container);
}

engine::LogOptions log_options(const ProjectLogsOptions& options) {
  return {.timestamps = true, .since = options.since, .until = options.until, .tail = options.tail};
}

// The lines of several readers, handed out oldest first. A reader that is far ahead waits; nobody has to keep a whole log.
class Merge {
 public:
  explicit Merge(std::size_t readers) : queues_(readers) {}

  // By reader `index`. False: nobody wants any more.
  bool push(std::size_t index, LogLine line) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_over_ || queues_[index].lines.size() < unread_lines_max; });
    if (is_over_) return false;
    queues_[index].lines.push_back(std::move(line));
    changed_.notify_all();
    return true;
  }

  void end(std::size_t index) {
    const std::lock_guard lock(mutex_);
    queues_[index].has_ended = true;
    changed_.notify_all();
  }

  void give_up() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }

  // Nothing once all have ended.
  std::optional<LogLine> pop() {
    std::unique_lock lock(mutex_);
    const auto is_known = [](const Queue& queue) { return queue.has_ended || !queue.lines.empty(); };
    changed_.wait(lock, [&] { return std::all_of(queues_.begin(), queues_.end(), is_known); });
    Queue* oldest = nullptr;
    for (Queue& queue : queues_) {
      if (queue.lines.empty()) continue;
      // The engine writes all nine digits and Z, so texts compare as times do.
      if (oldest == nullptr || queue.lines.front().time < oldest->lines.front().time) oldest = &queue;
    }
    if (oldest == nullptr) return std::nullopt;
    LogLine line = std::move(oldest->lines.front());
    oldest->lines.pop_front();
    changed_.notify_all();
    return line;
  }

 private:
  struct Queue {
    std::deque<LogLine> lines;
    bool has_ended = false;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Queue> queues_;
  bool is_over_ = false;
};

std::vector<Error> read_past(const Context& ctx,
                             engine::Client& client,
                             const ProjectLogsOptions& options,
                             const std::vector<engine::ContainerSummary>& containers,
                             const LogSink& on_line) {
  Merge merge(containers.size());
  std::vector<std::optional<Error>> failures(containers.size());
  std::stop_source stop;
  const std::stop_callback forward(ctx.stop, [&] { stop.request_stop(); });
  Context reading = ctx;
  reading.stop = stop.get_token();
  const auto read = [&](std::size_t index) {
    LogLines lines(about(containers[index]), [&](const LogLine& line) {
      if (!merge.push(index, line)) throw Error(ErrorCode::interrupted, "nobody reads any more");
    });
    try {
      engine::read_container_logs(
          reading,
          client,
          containers[index].id,
          log_options(options),
          [&](engine::OutputStream stream, std::span<const std::byte> bytes) { lines.feed(stream, bytes); });
      lines.finish();
    } catch (const Error& error) {
      failures[index] = named(error, containers[index].name);
    }
    merge.end(index);
  };
  {
    std::vector<std::jthread> readers;
    try {  // a thread that cannot be made as well: the ones before it wait for room in the queue
      for (std::size_t i = 0; i < containers.size(); ++i) readers.emplace_back([&read, i] { read(i); });
      while (const std::optional<LogLine> line = merge.pop()) on_line(*line);
    } catch (...) {
      stop.request_stop();
      merge.give_up();
      throw;
    }
  }
  ctx.check_stop();
  std::vector<Error> errors;
  for (const std::optional<Error>& failure : failures) {
    if (failure) errors.push_back(*failure);
  }
  return errors;
}

// Follows containers, a thread each, and takes in those that start later.
class Follower {
 public:
  Follower(const Context& ctx, engine::Client& client, const ProjectLogsOptions& options, const LogSink& on_line)
      : client_(client), options_(options), on_line_(on_line), forward_(ctx.stop, [this] { stop_.request_stop(); }), ctx_(ctx) {
    ctx_.stop = stop_.get_token();
  }

  ~Follower() { end(); }

  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  std::vector<Error> run(const Context& caller, const std::vector<engine::ContainerSummary>& containers) {
    engine::EventSubscription starts(ctx_,
                                     client_,
                                     {.filters = {{"type", {"container"}},
                                                  {"event", {"start"}},
                                                  {"label", {compose::label_filter(compose::project_label, options_.choice.project)}}}});
    for (const engine::ContainerSummary& container : containers) begin(container, true);
    auto quiet_since = ctx_.clock->now();
    while (!is_over_) {
      const std::optional<engine::EventNotice> notice = wait_for_event(starts);
      if (notice) take_in(list(ctx_, client_, options_, options_.choice.services));
      if (notice || has_readers() || runs_something()) quiet_since = ctx_.clock->now();
      if (ctx_.clock->now() - quiet_since >= patience) break;
    }
    end();
    if (failure_) std::rethrow_exception(failure_);
    caller.check_stop();
    return errors_;
  }

 private:
  struct Reader {
    std::jthread thread;
    std::atomic<bool> has_ended = false;
  };

  void end() {
    stop_.request_stop();
    readers_.clear();  // waits for them
  }

  std::optional<engine::EventNotice> wait_for_event(engine::EventSubscription& starts) {
    try {
      return starts.next(ctx_, look_interval);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted) is_over_ = true;  // asked to stop, by the user or by the sink
      if (!is_over_) throw;
      return std::nullopt;
    }
  }

  bool has_readers() const {
    return std::any_of(readers_.begin(), readers_.end(), [](const auto& each) { return !each.second->has_ended; });
  }

  bool runs_something() {
    const std::vector<engine::ContainerSummary> containers = list(ctx_, client_, options_, options_.choice.services);
    return std::any_of(containers.begin(), containers.end(), [](const auto& each) {
      return each.state == "running" || each.state == "restarting";
    });
  }

  void take_in(const std::vector<engine::ContainerSummary>& containers) {
    for (const engine::ContainerSummary& container : containers) {
      const auto known = readers_.find(container.id);
      if (known == readers_.end()) {
        begin(container, false);
      } else if (known->second->has_ended && container.state == "running") {
        readers_.erase(known);
        begin(container, false);
      }
    }
  }

  // A container that is there from the beginning is read as asked, another one from its own beginning, or from where its last
  // reader ended.
  void begin(const engine::ContainerSummary& container, bool is_first) {
    engine::LogOptions log{.follow =
                               container.state == "running" || container.state == "restarting" || container.state == "paused",
                           .timestamps = true};
    if (is_first) {
      log.since = options_.since;
      log.tail = options_.tail;
    } else if (const std::optional<engine::Timestamp> last = last_line_of(container.id)) {
      log.since = *last + std::chrono::nanoseconds(1);
    }
    log.until = options_.until;
    auto reader = std::make_unique<Reader>();
    Reader& own = *reader;
    reader->thread = std::jthread([this, &own, container, log] {
      read(container, log);
      own.has_ended = true;
    });
    readers_[container.id] = std::move(reader);
  }

  void read(const engine::ContainerSummary& container, const engine::LogOptions& log) {
    LogLines lines(about(container), [&](const LogLine& line) { tell(container.id, line); });
    try {
      engine::read_container_logs(
          ctx_, client_, container.id, log, [&](engine::OutputStream stream, std::span<const std::byte> bytes) {
            lines.feed(stream, bytes);
          });
      lines.finish();
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      const bool is_expected =
          error.code() == ErrorCode::interrupted || error.code() == ErrorCode::not_found;  // it was removed meanwhile
      if (!is_expected) errors_.push_back(named(error, container.name));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stop_.request_stop();
    }
  }

  void tell(const std::string& id, const LogLine& line) {
    const std::lock_guard lock(mutex_);
    if (failure_) throw Error(ErrorCode::interrupted, "nobody reads any more");
    last_lines_[id] = line.time;
    try {
      on_line_(line);
    } catch (...) {
      failure_ = std::current_exception();
      stop_.request_stop();
      throw Error(ErrorCode::interrupted, "nobody reads any more");
    }
  }

  std::optional<engine::Timestamp> last_line_of(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto found = last_lines_.find(id);
    return found == last_lines_.end() ? std::nullopt : engine::parse_timestamp(found->second);
  }

  engine::Client& client_;
  const ProjectLogsOptions& options_;
  const LogSink& on_line_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> forward_;
  Context ctx_;
  bool is_over_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<Error> errors_;
  std::map<std::string, std::string> last_lines_;           // time, by container
  std::map<std::string, std::unique_ptr<Reader>> readers_;  // by container
};

}  // namespace

void LogLines::feed(engine::OutputStream stream, std::span<const std::byte> bytes) {
  std::string& open = open_[static_cast<std::size_t>(stream)];
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    open += rest.substr(0, end);
    if (end == std::string_view::npos && open.size() < log_line_bytes_max) return;
    emit(stream, open);
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

void LogLines::finish() {
  for (const engine::OutputStream stream : {engine::OutputStream::standard_output, engine::OutputStream::standard_error}) {
    std::string& open = open_[static_cast<std::size_t>(stream)];
    if (!open.empty()) emit(stream, open);
  }
}

void LogLines::emit(engine::OutputStream stream, std::string& line) {
  if (line.ends_with('\r')) line.pop_back();  // of a terminal
  LogLine told = about_;
  told.stream = stream;
  const std::size_t space = line.find(' ');
  const std::string first = line.substr(0, space);
  if (engine::parse_timestamp(first)) {
    told.time = first;
    line.erase(0, space == std::string::npos ? space : space + 1);
  }
  told.text = std::move(line);
  line.clear();
  on_line_(told);
}

std::vector<Error> read_project_logs(const Context& ctx,
                                     engine::Client& client,
                                     const ProjectLogsOptions& options,
                                     const std::function<void(const std::vector<engine::ContainerSummary>&)>& on_containers,
                                     const LogSink& on_line) {
  const std::vector<engine::ContainerSummary> containers = list(ctx, client, options, options.known_services);
  if (on_containers) on_containers(containers);
  if (!options.follows) return read_past(ctx, client, options, containers, on_line);
  return Follower(ctx, client, options, on_line).run(ctx, containers);
}

}  // namespace drover::stack
