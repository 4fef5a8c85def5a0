#include "engine/endpoint.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "digest/digest.h"
#include "engine/json_fields.h"
#include "net/request_head.h"

#include <nlohmann/json.hpp>

#include <string_view>
#include <system_error>

namespace drover::engine {
namespace {

namespace fs = std::filesystem;
using Environment = std::map<std::string, std::string>;

constexpr std::string_view default_host = "unix:///var/run/docker.sock";
constexpr std::uint64_t config_file_bytes_max = 4U << 20U;  // credentials of many registries included
constexpr std::uint64_t context_file_bytes_max = 1U << 20U;

// docker's code asks for non-empty everywhere: DOCKER_TLS_VERIFY=0 verifies.
std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

nlohmann::json parse_object(const fs::path& file, std::string_view bytes) {
  nlohmann::json document = nlohmann::json::parse(bytes, nullptr, false);
  if (!document.is_object()) throw Error(ErrorCode::invalid, "cannot read " + file.string() + ": not a JSON object");
  return document;
}

fs::path config_directory(const Environment& environment) {
  if (const std::string named = value_of(environment, "DOCKER_CONFIG"); !named.empty()) return named;
  const std::string home = value_of(environment, "HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".docker";
}

struct ConfigFile {
  std::string current_context;
  std::vector<std::pair<std::string, std::string>> headers;
};

ConfigFile read_config_file(const fs::path& directory) {
  ConfigFile config;
  if (directory.empty()) return config;
  const fs::path file = directory / "config.json";
  const std::optional<std::string> bytes = try_read_file(file, config_file_bytes_max);
  if (!bytes || trim(*bytes).empty()) return config;
  const nlohmann::json document = parse_object(file, *bytes);
  config.current_context = text_member(document, "currentContext");
  const auto headers = document.find("HttpHeaders");
  if (headers != document.end() && headers->is_object()) {
    for (const auto& [name, value] : headers->items()) {
      if (value.is_string()) config.headers.emplace_back(name, value.get<std::string>());
    }
  }
  return config;
}

// One line of comma-separated NAME=VALUE, RFC 4180: a pair with a comma stands between double quotes, a quote in it twice.
std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (is_quoted && c == '"' && line.substr(i + 1).starts_with('"')) {
      fields.back() += line[++i];
    } else if (c == '"' && (is_quoted || fields.back().empty())) {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// Nothing of the text: with a character amiss a value stands where the name is looked for, and values may be secrets.
[[noreturn]] void throw_bad_custom_headers(std::string_view why) {
  throw Error(ErrorCode::usage, "bad DOCKER_CUSTOM_HEADERS: " + std::string(why) + "; it is comma-separated NAME=VALUE");
}

std::vector<std::pair<std::string, std::string>> parse_custom_headers(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const std::string& field : split_csv(text)) {
    const std::size_t equals = field.find('=');
    const std::string name(trim(std::string_view(field).substr(0, equals)));
    const std::string which = "entry " + std::to_string(headers.size() + 1);
    if (equals == std::string::npos) throw_bad_custom_headers(which + " has no value");
    if (!net::is_token(name)) throw_bad_custom_headers(which + " does not begin with a header's name");
    headers.emplace_back(name, field.substr(equals + 1));
  }
  return headers;
}

std::vector<std::pair<std::string, std::string>> find_headers(const Environment& environment, const ConfigFile& config) {
  const std::string custom = value_of(environment, "DOCKER_CUSTOM_HEADERS");
  std::vector<std::pair<std::string, std::string>> headers = custom.empty() ? config.headers : parse_custom_headers(custom);
  // Who sends the request is not for sale, in docker neither.
  std::erase_if(headers, [](const auto& header) { return equals_ignoring_case(header.first, "User-Agent"); });
  return headers;
}

// "tcp://***@host": the user part may hold a password.
std::string without_user(std::string_view host) {
  const std::size_t begin = host.find("://");
  const std::size_t at = host.rfind('@');
  if (begin == std::string_view::npos || at == std::string_view::npos || at < begin) return printable(host);
  return printable(host.substr(0, begin + 3)) + "***" + printable(host.substr(at));
}

[[noreturn]] void throw_bad_host(std::string_view host, std::string_view origin, std::string_view why) {
  throw Error(ErrorCode::usage, "bad engine address " + without_user(host) + " (" + std::string(origin) + "): " + std::string(why) +
                                    "; use unix:///path/to/docker.sock, tcp://host:2376 or ssh://user@host");
}

// The port docker assumes where the address names none.
std::string with_default_port(std::string_view address, bool tls) {
  const std::size_t path = address.find('/');
  const std::string_view authority = address.substr(0, path);
  const std::string_view rest = path == std::string_view::npos ? std::string_view() : address.substr(path);
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos;
  std::string out = authority.empty() || colon == 0 ? "localhost" + std::string(authority) : std::string(authority);
  if (!has_port) out += tls ? ":2376" : ":2375";
  return out + std::string(rest);
}

void set_ssh(Endpoint& endpoint, std::string_view address, const std::string& origin) {
  try {
    endpoint.ssh = parse_ssh_target(address);
  } catch (Error& error) {
    error.add_frame(origin);
    throw;
  }
  const std::string path = endpoint.ssh->socket == SshTarget{}.socket ? std::string() : endpoint.ssh->socket.string();
  endpoint.origin = "ssh://" + endpoint.ssh->to_string() + path + " (" + origin + ")";
  endpoint.url = net::Url::parse("http://localhost/");
}

// A folder for sockets that nobody else sees into: the session's own, where there is one.
fs::path runtime_folder(const Environment& environment) {
  for (const char* name : {"XDG_RUNTIME_DIR", "TMPDIR"}) {
    if (const fs::path folder = value_of(environment, name); folder.is_absolute()) return folder;
  }
  return "/tmp";
}

void set_address(Endpoint& endpoint, std::string_view host, bool tls, const std::string& origin) {
  const std::size_t mark = host.find("://");
  const std::string_view scheme = mark == std::string_view::npos ? "tcp" : host.substr(0, mark);
  const std::string_view address = mark == std::string_view::npos ? host : host.substr(mark + 3);
  if (scheme == "ssh") {  // before it gets into a message: it may have a password
    set_ssh(endpoint, address, origin);
    return;
  }
  endpoint.origin = without_user(host) + " (" + origin + ")";
  if (scheme == "unix") {
    endpoint.unix_socket = address.empty() ? fs::path(default_host.substr(7)) : fs::path(address);
    if (!endpoint.unix_socket.is_absolute()) throw_bad_host(host, origin, "the path of a unix socket begins with a slash");
    endpoint.url = net::Url::parse("http://localhost/");
    return;
  }
  if (scheme == "npipe" || scheme == "fd") {
    throw Error(ErrorCode::unsupported, "engine address " + without_user(host) + " (" + origin + "): " + std::string(scheme) +
                                            ":// is not supported; use a unix, tcp or ssh address");
  }
  if (scheme != "tcp") throw_bad_host(host, origin, "unknown scheme " + printable(scheme));
  if (address.find('@') != std::string_view::npos) throw_bad_host(host, origin, "only ssh addresses name a user");
  try {
    endpoint.url = net::Url::parse((tls ? "https://" : "http://") + with_default_port(address, tls));
  } catch (const Error& error) {
    throw_bad_host(host, origin, error.what());
  }
}

// One that cannot be looked at is not taken for none: without its certificate the engine would refuse in words of its own.
bool has_file(const fs::path& path) {
  std::error_code error;
  const bool has = fs::exists(path, error);
  if (error) throw Error(ErrorCode::io, "cannot look at " + printable(path.string()) + ": " + error.message());
  return has;
}

// DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as docker's command line reads them: either of the first two turns TLS on, the
// folder is the config folder by default, a client certificate is optional.
bool find_environment_tls(const Environment& environment, const fs::path& config, net::TlsOptions& tls) {
  const bool verify = !value_of(environment, "DOCKER_TLS_VERIFY").empty();
  if (!verify && value_of(environment, "DOCKER_TLS").empty()) return false;
  const std::string named = value_of(environment, "DOCKER_CERT_PATH");
  const fs::path folder = named.empty() ? config : fs::path(named);
  tls.verify = verify;
  if (has_file(folder / "ca.pem")) {
    tls.ca_file = folder / "ca.pem";
  } else if (verify) {
    throw Error(ErrorCode::not_found, "DOCKER_TLS_VERIFY is set, but there is no " + (folder / "ca.pem").string() +
                                          "; set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem");
  }
  if (has_file(folder / "cert.pem")) tls.client_cert = folder / "cert.pem";
  if (has_file(folder / "key.pem")) tls.client_key = folder / "key.pem";
  return true;
}

// `contexts/meta/<sha256 of the name>/meta.json` and `contexts/tls/<the same>/docker/{ca,cert,key}.pem`.
void set_from_context(Endpoint& endpoint, const fs::path& config, const std::string& name, const std::string& chosen_by) {
  const std::string folder = Digest::of(name).hex();
  const fs::path file = config / "contexts" / "meta" / folder / "meta.json";
  const std::optional<std::string> bytes = config.empty() ? std::nullopt : try_read_file(file, context_file_bytes_max);
  if (!bytes) {
    throw Error(ErrorCode::not_found,
                "no docker context " + printable(name) + " (" + chosen_by + "): no " + file.string() + "; see `docker context ls`");
  }
  const nlohmann::json document = parse_object(file, *bytes);
  const nlohmann::json endpoints = document.value("Endpoints", nlohmann::json::object());
  const nlohmann::json docker = endpoints.is_object() ? endpoints.value("docker", nlohmann::json::object()) : nlohmann::json();
  if (!docker.is_object()) throw Error(ErrorCode::invalid, "docker context " + printable(name) + " has no docker endpoint");

  const auto skip = docker.find("SkipTLSVerify");
  const bool skip_verify = skip != docker.end() && skip->is_boolean() && skip->get<bool>();
  const fs::path tls = config / "contexts" / "tls" / folder / "docker";
  endpoint.tls.verify = !skip_verify;
  if (has_file(tls / "ca.pem")) endpoint.tls.ca_file = tls / "ca.pem";
  if (has_file(tls / "cert.pem")) endpoint.tls.client_cert = tls / "cert.pem";
  if (has_file(tls / "key.pem")) endpoint.tls.client_key = tls / "key.pem";
  const bool has_tls = skip_verify || endpoint.tls != net::TlsOptions{};
  const std::string host = text_member(docker, "Host");
  set_address(endpoint, host.empty() ? default_host : host, has_tls, "context " + printable(name) + " by " + chosen_by);
}

struct ContextChoice {
  std::string name;  // "default": no stored context, the address comes from the flag or the environment
  std::string chosen_by;
};

ContextChoice choose_context(const EndpointFlags& flags, const Environment& environment, const ConfigFile& config) {
  if (flags.context && flags.host) {
    throw Error(ErrorCode::usage, "--host and --context were both given; choose one of them");
  }
  if (flags.context && !flags.context->empty()) return {*flags.context, "--context"};
  if (flags.host || !value_of(environment, "DOCKER_HOST").empty()) return {"default", ""};
  if (std::string name = value_of(environment, "DOCKER_CONTEXT"); !name.empty()) return {std::move(name), "DOCKER_CONTEXT"};
  if (!config.current_context.empty()) return {config.current_context, "currentContext in config.json"};
  return {"default", ""};
}

void set_from_environment(Endpoint& endpoint, const EndpointFlags& flags, const Environment& environment, const fs::path& config) {
  const std::string from_environment = value_of(environment, "DOCKER_HOST");
  const bool tls = find_environment_tls(environment, config, endpoint.tls);
  if (flags.host) {
    set_address(endpoint, trim(*flags.host), tls, "--host");
  } else if (!from_environment.empty()) {
    set_address(endpoint, trim(from_environment), tls, "DOCKER_HOST");
  } else {
    set_address(endpoint, default_host, tls, "default");
  }
}

}  // namespace

Endpoint find_endpoint(const EndpointFlags& flags, const std::map<std::string, std::string>& environment) {
  const fs::path directory = config_directory(environment);
  const ConfigFile config = read_config_file(directory);
  const ContextChoice choice = choose_context(flags, environment, config);

  Endpoint endpoint;
  endpoint.headers = find_headers(environment, config);
  if (const std::string pinned = value_of(environment, "DOCKER_API_VERSION"); !pinned.empty()) endpoint.api_version = pinned;
  if (choice.name != "default") {
    set_from_context(endpoint, directory, choice.name, choice.chosen_by);
  } else {
    set_from_environment(endpoint, flags, environment, directory);
  }
  if (endpoint.ssh) {
    endpoint.ssh->search_path = value_of(environment, "PATH");
    endpoint.ssh->folder = runtime_folder(environment);
  }
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  if (!endpoint.unix_socket.empty()) return "unix://" + endpoint.unix_socket.string();
  return endpoint.ssh ? "ssh://" + endpoint.ssh->to_string() : endpoint.url.to_string();
}

}  // namespace drover::engine
