#include "tests/support/fake_engine.h"

#include "base/file.h"
#include "base/text.h"

#include <nlohmann/json.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

namespace drover::test {
namespace {

using nlohmann::json;

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string query_value(std::string_view target, std::string_view name) {
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {};
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') return percent_decode(pair.substr(name.size() + 1));
  }
  return {};
}

struct Closed {};  // the peer is gone

// One connection: reads requests, writes answers.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {}

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw Closed();
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void fill() {
    char piece[65536];
    const ssize_t got = ::recv(fd_, piece, sizeof piece, 0);
    if (got <= 0) throw Closed();
    buffer_.append(piece, static_cast<std::size_t>(got));
  }

  std::string line() {
    for (std::size_t end = buffer_.find("\r\n"); true; end = buffer_.find("\r\n")) {
      if (end != std::string::npos) {
        std::string out = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return out;
      }
      fill();
    }
  }

  // Until the peer ends its side.
  std::string rest() {
    try {
      while (true) fill();
    } catch (const Closed&) {
    }
    return std::move(buffer_);
  }

  std::string take(std::size_t count) {
    while (buffer_.size() < count) fill();
    std::string out = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return out;
  }

  EngineRequest head() {
    EngineRequest request;
    const std::string first = line();
    const std::vector<std::string_view> parts = split(first, ' ');
    if (parts.size() != 3) throw Closed();
    request.method = parts[0];
    request.target = parts[1];
    for (std::string header = line(); !header.empty(); header = line()) {
      const std::size_t colon = header.find(':');
      if (colon == std::string::npos) throw Closed();
      request.headers[to_lower(header.substr(0, colon))] = trim(header.substr(colon + 1));
    }
    return request;
  }

  // `pieces_max`: stop after that many chunks, as an engine that dies.
  void body(EngineRequest& request, std::optional<std::size_t> pieces_max) {
    if (request.headers.contains("expect")) send("HTTP/1.1 100 Continue\r\n\r\n");
    if (request.headers["transfer-encoding"] == "chunked") {
      for (std::size_t pieces = 0; !pieces_max || pieces < *pieces_max; ++pieces) {
        const std::size_t size = std::stoul(line(), nullptr, 16);
        if (size == 0) {
          line();
          return;
        }
        request.body += take(size);
        line();
      }
      throw Closed();
    }
    if (request.headers.contains("content-length")) request.body = take(std::stoul(request.headers["content-length"]));
  }

 private:
  int fd_;
  std::string buffer_;
};

template <typename Function>
struct ScopeEnd {
  Function function;
  ~ScopeEnd() { function(); }
};
template <typename Function>
ScopeEnd(Function) -> ScopeEnd<Function>;

std::string chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

struct Override {
  int status = 200;
  std::string body;
  std::string headers;
};

}  // namespace

struct FakeEngine::Impl {
  explicit Impl(FakeEngineOptions used) : options(std::move(used)), store(options.is_containerd) {
    if (options.socket.empty()) options.socket = folder / "engine.sock";
    listener = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = options.socket.string();
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    ::unlink(path.c_str());
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(listener.get(), 64) != 0) {
      throw std::runtime_error("cannot listen at " + path + ": " + std::strerror(errno));
    }
    acceptor = std::jthread([this] { accept_all(); });
  }

  ~Impl() {
    stopping = true;
    ::shutdown(listener.get(), SHUT_RDWR);
    load_released.notify_all();
    {
      const std::scoped_lock lock(mutex);
      events_changed.notify_all();
    }
    acceptor.join();
    {
      const std::scoped_lock lock(mutex);
      for (const int fd : open_fds) ::shutdown(fd, SHUT_RDWR);
    }
    connections.clear();
    ::unlink(options.socket.c_str());
  }

  void accept_all() {
    while (!stopping) {
      const int fd = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::scoped_lock lock(mutex);
      if (to_turn_away > 0) {
        --to_turn_away;
        ::close(fd);
        continue;
      }
      open_fds.push_back(fd);
      connections.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    try {
      Wire wire(fd);
      while (true) answer(wire);
    } catch (const Closed&) {
      // The peer is done, or this engine died as told.
    } catch (const std::exception&) {
      // A request that cannot be read: the connection ends.
    }
    const std::scoped_lock lock(mutex);
    std::erase(open_fds, fd);
    ::close(fd);
  }

  std::string common_headers() const {
    std::string headers = "Server: FakeEngine\r\n";
    if (options.sends_api_version) headers += "Api-Version: " + versions().newest + "\r\n";
    if (options.is_podman) headers += "Libpod-API-Version: 4.3.1\r\n";
    return headers;
  }

  void reply(const Wire& wire, int status, std::string_view body, bool head_only = false, std::string_view headers = {}) const {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " Status\r\n" + common_headers() + "Content-Type: application/json\r\n";
    text += headers;
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    if (!head_only) text += body;
    wire.send(text);
  }

  void reply_error(const Wire& wire, int status, const std::string& message) const { reply(wire, status, json{{"message", message}}.dump()); }

  void answer(Wire& wire) {
    EngineRequest request = wire.head();
    const std::size_t slash = request.target.find('/', 1);
    const bool is_versioned = request.target.starts_with("/v1.") && slash != std::string::npos;
    const std::string target = is_versioned ? request.target.substr(slash) : request.target;
    const std::string path = target.substr(0, target.find('?'));
    if (path == "/images/load") {
      load(wire, request, target);
      return;
    }
    wire.body(request, {});
    log(request);
    if (is_hanging) wire.head();  // until the client gives up
    if (path == "/events" && query_value(target, "until").empty()) {  // with an end they are history: objects answer
      if (refuse_version(wire, request.target)) return;
      events(wire, target);
      return;
    }
    if (answer_by_handler(wire, request)) return;
    if (request.method == "POST" && request.headers["upgrade"] == "tcp") {
      if (refuse_version(wire, request.target)) return;
      hijack(wire, path);
    }
    if (path == "/_ping") {
      if (request.method == "HEAD" && !options.knows_head_ping) {
        wire.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
      }
      reply(wire, 200, "OK", request.method == "HEAD");
      return;
    }
    if (refuse_version(wire, request.target)) return;
    run_action(request.method + " " + path);
    const std::scoped_lock lock(mutex);
    if (const auto found = overrides.find(path); found != overrides.end()) {
      const Override& answer = found->second;
      reply(wire, answer.status, answer.body, request.method == "HEAD", answer.headers);
    } else if (const auto object = path == "/containers/json" && containers != "[]" ? std::nullopt : objects.answer(request.method, path, request.body)) {
      reply(wire, object->status, object->body);
    } else if (request.method == "GET") {
      get(wire, path);
    } else if (request.method == "POST" && path == "/images/create" && query_value(target, "fromSrc") == "-") {
      import(wire);
    } else if (request.method == "POST" && path == "/images/create") {
      pull(wire, target);
    } else if (request.method == "POST" && path.starts_with("/images/") && path.ends_with("/tag")) {
      store.tag(path.substr(8, path.size() - 12), query_value(target, "repo") + ":" + query_value(target, "tag"));
      reply(wire, 201, "");
    } else if (request.method == "DELETE" && path.starts_with("/images/")) {
      const std::string name = path.substr(8);
      FakeEngineImage* const named = store.find(name);
      const std::string id = named == nullptr ? name : named->id;
      if (named != nullptr && named->id != name && named->tags.size() > 1) {
        std::erase(named->tags, name);
        reply(wire, 200, json::array({json{{"Untagged", name}}}).dump());
        return;
      }
      if (objects.is_image_used(id)) {
        reply_error(wire, 409, "conflict: unable to delete " + id + " - image is being used by a container");
        return;
      }
      if (named != nullptr && named->id == name && named->tags.size() > 1) {
        reply_error(wire, 409, "conflict: unable to delete " + id + " (must be forced) - image is referenced in multiple repositories");
        return;
      }
      const bool is_here = store.remove(id);
      is_here ? reply(wire, 200, json::array({json{{"Deleted", id}}}).dump()) : reply_error(wire, 404, "No such image: " + id);
    } else {
      reply_error(wire, 404, "page not found");
    }
  }

  bool answer_by_handler(const Wire& wire, const EngineRequest& request) {
    const std::shared_lock asked(handler_mutex);
    if (!handler) return false;
    const std::size_t slash = request.target.find('/', 1);
    const std::string path = request.target.substr(slash == std::string::npos ? 0 : slash);
    run_action(request.method + " " + path.substr(0, path.find('?')));
    const std::optional<Answer> found = handler(request);
    if (!found) return false;
    if (found->is_lost) throw Closed();
    if (found->raw.empty()) {
      reply(wire, found->status, found->body);
      return true;
    }
    wire.send(found->raw);
    throw Closed();
  }

  void run_action(const std::string& request) {
    std::function<void()> action;
    {
      const std::scoped_lock lock(mutex);
      const auto found = std::find_if(actions.begin(), actions.end(), [&](const auto& entry) { return request.starts_with(entry.first); });
      if (found == actions.end()) return;
      action = std::move(found->second);
      actions.erase(found);
    }
    action();
  }

  void import(const Wire& wire) {
    const std::string id = Digest::of("imported " + std::to_string(++imports)).to_string();
    store.add({.id = id, .tags = {}, .digests = {}, .diff_ids = {}});
    begin_stream(wire);
    send_lines(wire, {json{{"status", id}}.dump()});
  }

  struct Versions {
    std::string oldest;
    std::string newest;
  };
  Versions versions() const {
    const std::scoped_lock lock(versions_mutex);
    return {options.min_api_version, options.api_version};
  }

  bool refuse_version(const Wire& wire, std::string_view target) const {
    if (!target.starts_with("/v")) return false;
    const auto number = [](std::string_view text) { return parse_uint(text.substr(text.find('.') + 1)).value_or(0); };
    const std::string_view asked = target.substr(2, target.find('/', 1) - 2);
    const Versions speaks = versions();
    if (number(asked) > number(speaks.newest)) {
      reply_error(wire, 400, "client version " + std::string(asked) + " is too new. Maximum supported API version is " + speaks.newest);
      return true;
    }
    if (number(asked) < number(speaks.oldest)) {
      reply_error(wire, 400, "client version " + std::string(asked) + " is too old. Minimum supported API version is " + speaks.oldest +
                                 ", please upgrade your client to a newer version");
      return true;
    }
    return false;
  }

  void get(const Wire& wire, const std::string& path) {
    if (path == "/version") {
      reply(wire, 200, json{{"Version", options.version}, {"Os", "linux"}, {"Arch", options.architecture}, {"ApiVersion", versions().newest}}.dump());
    } else if (path == "/info") {
      json status = json::array({json::array({"Backing Filesystem", "extfs"})});
      if (options.is_containerd) status = json::array({json::array({"driver-type", "io.containerd.snapshotter.v1"})});
      reply(wire, 200, json{{"Architecture", "x86_64"}, {"DriverStatus", status}}.dump());
    } else if (path == "/images/json") {
      json list = json::array();
      for (const FakeEngineImage& image : store.images()) {
        list.push_back(describe(image));
        if (options.is_containerd && speaks_at_least(47)) list.back()["Manifests"] = describe_manifests(image);
      }
      reply(wire, 200, list.dump());
    } else if (path == "/system/df") {
      std::uint64_t bytes = 0;
      for (const FakeEngineImage& image : store.images()) bytes += image.bytes;
      reply(wire, 200, json{{"LayersSize", bytes}, {"Images", nullptr}, {"Containers", nullptr}, {"Volumes", nullptr}, {"BuildCache", nullptr}}.dump());
    } else if (path.starts_with("/images/") && path.ends_with("/history")) {
      const FakeEngineImage* const image = store.find(path.substr(8, path.size() - 16));
      if (image != nullptr && !image->is_unpacked && !speaks_at_least(48)) {  // 26.1
        reply_error(wire, 404, "snapshot " + image->diff_ids.back() + " does not exist: not found");
        return;
      }
      json steps = json::array();
      if (image != nullptr) for (const std::uint64_t size : image->layer_bytes) steps.insert(steps.begin(), json{{"Size", size}});
      reply(wire, 200, steps.dump());
    } else if (path == "/containers/json") {
      reply(wire, 200, containers);
    } else if (path.starts_with("/images/") && path.ends_with("/json")) {
      const std::string name = path.substr(8, path.size() - 13);
      const FakeEngineImage* image = store.find(name);
      if (image == nullptr) {
        reply_error(wire, 404, "No such image: " + name);
        return;
      }
      json details = describe(*image);
      if (options.is_containerd && speaks_at_least(48)) details["Manifests"] = describe_manifests(*image);
      details["RootFS"] = {{"Type", "layers"}, {"Layers", image->diff_ids}};
      if (!image->last_tag_time.empty()) details["Metadata"] = {{"LastTagTime", image->last_tag_time}};
      details["Os"] = "linux";
      details["Architecture"] = architecture_of(*image);
      reply(wire, 200, details.dump());
    } else {
      reply_error(wire, 404, "page not found");
    }
  }

  bool speaks_at_least(std::uint64_t minor) const {
    return parse_uint(std::string_view(options.api_version).substr(2)).value_or(0) >= minor;
  }

  std::string architecture_of(const FakeEngineImage& image) const {
    return image.architecture.empty() ? options.architecture : image.architecture;
  }

  json describe_manifests(const FakeEngineImage& image) const {
    const std::uint64_t unpacked = image.is_unpacked ? image.unpacked_bytes : 0;
    return json::array({{{"ID", image.manifest.empty() ? image.id : image.manifest},
                         {"Available", true},
                         {"Kind", "image"},
                         {"Size", {{"Content", image.bytes}, {"Total", image.bytes + unpacked}}},
                         {"ImageData", {{"Platform", {{"os", "linux"}, {"architecture", architecture_of(image)}}}, {"Size", {{"Unpacked", unpacked}}}}}}});
  }

  // Null where there is nothing, as 20.10 does.
  static json describe(const FakeEngineImage& image) {
    json out{{"Id", image.id}, {"RepoTags", nullptr}, {"RepoDigests", nullptr}, {"Labels", nullptr}, {"Size", image.bytes}};
    if (!image.tags.empty()) out["RepoTags"] = image.tags;
    if (!image.digests.empty()) out["RepoDigests"] = image.digests;
    return out;
  }

  void begin_stream(const Wire& wire) const {
    wire.send("HTTP/1.1 200 OK\r\n" + common_headers() + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
  }

  void send_lines(const Wire& wire, const std::vector<std::string>& lines) const {
    for (const std::string& text : lines) wire.send(chunk(text + "\r\n"));
    wire.send("0\r\n\r\n");
  }

  void pull(const Wire& wire, const std::string& target) {
    if (!pull_failure.empty()) {
      reply_error(wire, 500, pull_failure);
      return;
    }
    const std::string name = query_value(target, "fromImage");
    const std::string digest = query_value(target, "tag");
    const auto found = pullable.find(digest);
    if (found == pullable.end()) {
      reply_error(wire, 404, "manifest for " + name + "@" + digest + " not found: manifest unknown");
      return;
    }
    begin_stream(wire);
    std::vector<std::string> lines{json{{"status", "Pulling from " + name}, {"id", digest}}.dump()};
    if (!pull_status.empty()) lines.push_back(json{{"status", pull_status}, {"id", "0123456789ab"}}.dump());
    if (FakeEngineImage* image = store.find(found->second)) {
      const std::string familiar = name.starts_with("docker.io/library/") ? name.substr(18) : name;
      image->digests.push_back(familiar + "@" + digest);
    }
    send_lines(wire, lines);
  }

  // Ends with the connection.
  void events(const Wire& wire, const std::string& target) {
    std::unique_lock lock(mutex);
    if (events_refusal.first != 0) {
      reply_error(wire, events_refusal.first, events_refusal.second);
      return;
    }
    begin_stream(wire);
    const std::size_t generation = events_generation;
    const std::string since = query_value(target, "since");
    std::size_t next = since.empty() ? events_told.size() : events_forgotten;
    if (!since.empty() && events_told.size() - next > 256) next = events_told.size() - 256;
    ++listeners;
    const ScopeEnd leave{[&] { --listeners; }};
    while (!stopping && generation == events_generation) {
      for (; next < events_told.size(); ++next) {
        // Cut in the middle, as a network would.
        const std::string line = events_told[next] + "\n";
        wire.send(chunk(line.substr(0, line.size() / 2)));
        wire.send(chunk(line.substr(line.size() / 2)));
      }
      events_changed.wait(lock);
    }
    wire.send("0\r\n\r\n");
  }

  // A process that says "ready", then what it got once its input has ended: on standard error, in frames.
  void hijack(Wire& wire, const std::string& path) {
    {
      const std::scoped_lock lock(mutex);
      if (const auto found = overrides.find(path); found != overrides.end()) {
        reply(wire, found->second.status, found->second.body);
        throw Closed();
      }
    }
    const auto frame = [](char stream, const std::string& text) {
      return std::string{stream, 0, 0, 0, 0, 0, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())} + text;
    };
    wire.send("HTTP/1.1 101 UPGRADED\r\n" + common_headers() +
              "Content-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" + frame(1, "ready\n"));
    wire.send(frame(2, "got " + wire.rest()));
    throw Closed();
  }

  // A fault that needs the body goes to the load whose body is there first, whoever began first.
  LoadFault next_fault(bool has_body) {
    const std::scoped_lock lock(mutex);
    if (faults.empty()) return LoadFault::none;
    const LoadFault fault = faults.front();
    const bool needs_body = fault != LoadFault::status_500 && fault != LoadFault::close_mid_body;
    if (needs_body != has_body) return LoadFault::none;
    faults.pop_front();
    return fault;
  }

  void load(Wire& wire, EngineRequest& request, const std::string& target) {
    if (refuse_version(wire, request.target)) throw Closed();
    LoadFault fault = next_fault(false);
    if (fault == LoadFault::status_500) {
      log(request);
      reply_error(wire, 500, "daemon is shutting down");
      throw Closed();
    }
    struct Counter {
      explicit Counter(Impl& used) : impl(used) {
        const std::scoped_lock lock(impl.mutex);
        impl.loads_most = std::max(impl.loads_most, ++impl.loads_now);
      }
      ~Counter() {
        const std::scoped_lock lock(impl.mutex);
        --impl.loads_now;
      }
      Impl& impl;
    };
    std::vector<std::string> lines;
    {
      const Counter counter(*this);
      try {
        wire.body(request, fault == LoadFault::close_mid_body ? std::optional<std::size_t>(1) : std::nullopt);
      } catch (const Closed&) {
        log(request);
        throw;
      }
      log(request);
      fault = next_fault(true);
      {
        std::unique_lock lock(mutex);
        load_released.wait(lock, [this] { return !are_loads_held || stopping; });
      }
      if (fault == LoadFault::hang) wire.head();  // until the client gives up
      lines = unpack(request.body, fault, !query_value(target, "platform").empty());
    }
    begin_stream(wire);
    if (fault == LoadFault::close_mid_answer) {
      wire.send(chunk(lines.front() + "\r\n"));
      throw Closed();
    }
    if (fault == LoadFault::split_answer) {
      for (const std::string& text : lines) {
        for (const char c : text + "\r\n") wire.send(chunk(std::string(1, c)));
      }
      lines.clear();
    }
    send_lines(wire, lines);
  }

  std::vector<std::string> unpack(const std::string& body, LoadFault fault, bool with_platform) {
    const std::scoped_lock lock(mutex);
    if (fault == LoadFault::silent_forget) store.forget_layers();
    std::vector<std::string> lines;
    try {
      const std::map<std::string, std::string> files = read_tar(body);
      archives.push_back(files);
      if (refuses_several && json::parse(files.at("manifest.json")).size() > 1) throw LoadRefused("write /layer.tar: input/output error");
      if (fault == LoadFault::error_in_stream) throw LoadRefused("write /layer.tar: input/output error");
      if (fault == LoadFault::no_space) throw LoadRefused("write /layer.tar: no space left on device");
      if (fault == LoadFault::absent) return {json{{"stream", "Loaded image: gone\n"}}.dump()};
      if (fault == LoadFault::no_space_unpacking) store.fill_disk();
      lines = store.load(files, with_platform);
    } catch (const std::exception& refused) {
      lines.push_back(json{{"errorDetail", {{"message", refused.what()}}}, {"error", refused.what()}}.dump());
    }
    // What does not run here is unpacked when a container is made of it.
    const bool is_foreign = !store.images().empty() && architecture_of(store.images().back()) != options.architecture;
    if (fault == LoadFault::says_unpacked || is_foreign) store.images().back().is_unpacked = false;
    if (fault == LoadFault::wrong_id) store.images().back().id = Digest::of("another").to_string();
    if (fault == LoadFault::junk_line) lines.insert(lines.begin(), "WARNING: this line is no JSON {");
    return lines;
  }

  void log(const EngineRequest& request) {
    const std::scoped_lock lock(mutex);
    requests.push_back(request);
  }

  std::shared_mutex handler_mutex;
  std::function<std::optional<Answer>(const EngineRequest&)> handler;
  TempDir folder;
  FakeEngineOptions options;  // versions under versions_mutex
  mutable std::mutex versions_mutex;
  UniqueFd listener;
  std::atomic<bool> stopping = false;
  std::atomic<bool> is_hanging = false;
  mutable std::mutex mutex;  // of everything below
  FakeImageStore store;
  FakeObjects objects;
  std::vector<std::pair<std::string, std::function<void()>>> actions;
  int imports = 0;
  std::string containers = "[]";
  std::deque<LoadFault> faults;
  std::map<std::string, std::string> pullable;
  std::string pull_failure;
  std::string pull_status;
  std::map<std::string, Override> overrides;
  std::vector<EngineRequest> requests;
  std::vector<std::map<std::string, std::string>> archives;
  std::vector<std::string> events_told;
  std::size_t events_forgotten = 0;   // the history begins there
  std::size_t events_generation = 0;  // streams of an earlier one end
  std::size_t listeners = 0;
  std::pair<int, std::string> events_refusal;
  std::condition_variable events_changed;
  bool are_loads_held = false;
  bool refuses_several = false;
  std::condition_variable load_released;
  std::size_t loads_now = 0;
  std::size_t loads_most = 0;
  std::size_t to_turn_away = 0;
  std::vector<int> open_fds;
  std::vector<std::jthread> connections;
  std::jthread acceptor;
};

FakeEngine::FakeEngine(FakeEngineOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

FakeEngine::~FakeEngine() = default;

const std::filesystem::path& FakeEngine::socket() const { return impl_->options.socket; }

void FakeEngine::add_image(FakeEngineImage image) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->store.add(std::move(image));
}

void FakeEngine::set_containers(std::string text) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->containers = std::move(text);
}

void FakeEngine::with_objects(const std::function<void(FakeObjects&)>& change) {
  const std::scoped_lock lock(impl_->mutex);
  change(impl_->objects);
}

std::vector<std::string> FakeEngine::image_tags() const {
  const std::scoped_lock lock(impl_->mutex);
  std::vector<std::string> tags;
  for (const FakeEngineImage& image : impl_->store.images()) tags.insert(tags.end(), image.tags.begin(), image.tags.end());
  return tags;
}

void FakeEngine::before(const std::string& request, std::function<void()> action) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->actions.emplace_back(request, std::move(action));
}

void FakeEngine::script_loads(std::vector<LoadFault> faults) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->faults.assign(faults.begin(), faults.end());
}

void FakeEngine::refuse_several() {
  const std::scoped_lock lock(impl_->mutex);
  impl_->refuses_several = true;
}

void FakeEngine::hold_loads(bool is_held) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->are_loads_held = is_held;
  }
  impl_->load_released.notify_all();
}

void FakeEngine::add_pullable(const std::string& digest, const std::string& image_id) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->pullable[digest] = image_id;
}

void FakeEngine::break_pulls(std::string message) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->pull_failure = std::move(message);
}

void FakeEngine::set_pull_status(std::string status) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->pull_status = std::move(status);
}

void FakeEngine::override_answer(const std::string& path, int status, std::string body, std::string headers) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->overrides[path] = {status, std::move(body), std::move(headers)};
}

void FakeEngine::tell_event(std::string text) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->events_told.push_back(std::move(text));
  impl_->events_changed.notify_all();
}

void FakeEngine::answer_with(std::function<std::optional<Answer>(const EngineRequest&)> handler) {
  const std::scoped_lock lock(impl_->handler_mutex);
  impl_->handler = std::move(handler);
}

void FakeEngine::go_away(std::size_t connections) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->to_turn_away = connections;
  ++impl_->events_generation;
  impl_->events_changed.notify_all();
  for (const int fd : impl_->open_fds) ::shutdown(fd, SHUT_RDWR);
}

void FakeEngine::refuse_events(int status, std::string message) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->events_refusal = {status, std::move(message)};
}

void FakeEngine::set_api_versions(std::string oldest, std::string newest) {
  const std::scoped_lock lock(impl_->versions_mutex);
  impl_->options.min_api_version = std::move(oldest);
  impl_->options.api_version = std::move(newest);
}

void FakeEngine::end_events() {
  const std::scoped_lock lock(impl_->mutex);
  ++impl_->events_generation;
  impl_->events_changed.notify_all();
}

void FakeEngine::forget_events() {
  const std::scoped_lock lock(impl_->mutex);
  impl_->events_forgotten = impl_->events_told.size();
}

void FakeEngine::hang(bool is_hanging) { impl_->is_hanging = is_hanging; }

std::size_t FakeEngine::listeners() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->listeners;
}

std::vector<EngineRequest> FakeEngine::requests() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->requests;
}

std::vector<std::string> FakeEngine::targets() const {
  std::vector<std::string> out;
  for (const EngineRequest& request : requests()) out.push_back(request.method + " " + request.target);
  return out;
}

std::vector<std::map<std::string, std::string>> FakeEngine::loads() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->archives;
}

std::size_t FakeEngine::loads_at_once_max() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->loads_most;
}

}  // namespace drover::test
