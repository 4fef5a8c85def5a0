#include "cli/bench_tools.h"

#include "base/error.h"
#include "base/process.h"
#include "base/text.h"
#include "cli/grammar.h"

#include <algorithm>

namespace drover::cli {
namespace {

struct ToolRow {
  BenchKind kind;
  std::string_view name;
  bool is_unasked = true;
};

constexpr ToolRow tools[] = {
    {BenchKind::sha256, "openssl"},     {BenchKind::sha256, "sha256sum"},
    {BenchKind::sha256, "shasum"},      {BenchKind::sha256, "rhash"},
    {BenchKind::pull, "curl"},          {BenchKind::pull, "skopeo"},
    {BenchKind::pull, "crane"},         {BenchKind::pull, "oras"},
    {BenchKind::pull, "docker", false},  // it changes the user's engine
    {BenchKind::load, "docker"},        {BenchKind::load, "skopeo"},
};

constexpr std::string_view nobody = "none";

std::vector<std::string> split_words(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    for (const std::string_view part : split(word, ',')) names.emplace_back(trim(part));
  }
  return names;
}

void check_names(const std::vector<std::string>& names, BenchKind kind) {
  const std::vector<std::string> known = tool_names(kind);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (name == nobody && names.size() == 1) continue;
    throw Error(ErrorCode::usage,
                "--against: " + unknown_word_text("tool", name, known, "there are " + join(known, ", ") + ", or none"));
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// containers-transports(5) takes no tag beside a digest.
std::string docker_transport(const Reference& reference) {
  return "docker://" + reference.name() + (reference.digest() ? "@" : ":") + reference.manifest_name();
}

std::vector<std::string> skopeo_words(const Platform& platform) {
  std::vector<std::string> words = {"copy", "-q", "--override-os", platform.os, "--override-arch", platform.architecture};
  if (!platform.variant.empty()) words.insert(words.end(), {"--override-variant", platform.variant});
  return words;
}

ToolRun skopeo_pull(const PullTask& task) {
  ToolRun run;
  for (std::size_t i = 0; i < task.images.size(); ++i) {
    std::vector<std::string> words = skopeo_words(task.platform);
    if (task.images[i].trust != RemoteImage::Trust::verified) words.emplace_back("--src-tls-verify=false");
    words.push_back(docker_transport(task.images[i].reference));
    words.push_back("oci:" + task.folder.string() + ":image-" + std::to_string(i));  // one layout: shared blobs once
    run.commands.push_back(std::move(words));
  }
  return run;
}

ToolRun crane_pull(const PullTask& task) {
  ToolRun run{.commands = {}, .is_at_once = true};
  for (std::size_t i = 0; i < task.images.size(); ++i) {
    std::vector<std::string> words = {"pull", "--platform", task.platform.to_string(), "--format=oci"};
    if (task.images[i].trust != RemoteImage::Trust::verified) words.emplace_back("--insecure");
    words.push_back(task.images[i].reference.to_string());
    words.push_back((task.folder / std::to_string(i)).string());
    run.commands.push_back(std::move(words));
  }
  return run;
}

ToolRun oras_pull(const PullTask& task) {
  ToolRun run{.commands = {}, .is_at_once = true};
  for (std::size_t i = 0; i < task.images.size(); ++i) {
    std::vector<std::string> words = {"copy", "--to-oci-layout", "--platform", task.platform.to_string()};
    if (task.images[i].trust == RemoteImage::Trust::plain_http) words.emplace_back("--from-plain-http");
    if (task.images[i].trust == RemoteImage::Trust::unverified) words.emplace_back("--from-insecure");
    words.push_back(task.images[i].reference.to_string());
    words.push_back((task.folder / std::to_string(i)).string() + ":image");
    run.commands.push_back(std::move(words));
  }
  return run;
}

ToolRun docker_pull(const PullTask& task) {
  ToolRun run{.commands = {}, .is_at_once = true};
  for (const RemoteImage& image : task.images) {
    std::vector<std::string> words = task.engine_words;
    words.insert(words.end(), {"pull", "-q", "--platform", task.platform.to_string(), image.reference.familiar()});
    run.commands.push_back(std::move(words));
  }
  return run;
}

}  // namespace

std::vector<std::string> tool_names(BenchKind kind) {
  std::vector<std::string> names;
  for (const ToolRow& row : tools) {
    if (row.kind == kind) names.emplace_back(row.name);
  }
  return names;
}

std::string tool_choices(BenchKind kind) {
  return "{" + join(tool_names(kind), ",") + "," + std::string(nobody) + "}";
}

std::vector<FoundTool> find_tools(BenchKind kind, const std::vector<std::string>& asked, std::string_view search_path) {
  const std::vector<std::string> names = split_words(asked);
  check_names(names, kind);
  std::vector<FoundTool> found;
  for (const ToolRow& row : tools) {
    const bool is_asked = std::find(names.begin(), names.end(), row.name) != names.end();
    if (row.kind != kind || !(is_asked || (names.empty() && row.is_unasked))) continue;
    if (auto program = find_program(row.name, search_path)) {
      found.push_back({.name = std::string(row.name), .program = *std::move(program)});
    } else if (is_asked) {
      throw Error(ErrorCode::refused, "cannot compare with " + std::string(row.name) +
                                          ": there is no such program on PATH; install it, or leave it out");
    }
  }
  return found;
}

ToolRun hash_run(std::string_view tool, const std::filesystem::path& file) {
  if (tool == "openssl") return {.commands = {{"dgst", "-sha256", file.string()}}};
  if (tool == "shasum") return {.commands = {{"-a", "256", file.string()}}};
  if (tool == "rhash") return {.commands = {{"--sha256", file.string()}}};
  return {.commands = {{file.string()}}};
}

ToolRun pull_run(std::string_view tool, const PullTask& task) {
  if (tool == "skopeo") return skopeo_pull(task);
  if (tool == "crane") return crane_pull(task);
  if (tool == "oras") return oras_pull(task);
  if (tool == "docker") return docker_pull(task);
  return {.commands = {{"-q", "--fail-early", "--parallel", "--parallel-max", std::to_string(task.jobs), "-K", curl_config_file(task).string()}}};
}

std::filesystem::path curl_config_file(const PullTask& task) {
  return task.folder / "curl.conf";
}

std::string curl_config(const std::vector<registry::BlobAddress>& blobs, const PullTask& task) {
  std::string text;
  const auto add = [&text](std::string_view option, std::string_view value) {
    text += std::string(option) + " = " + in_quotes(value) + "\n";
  };
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    const registry::BlobAddress& blob = blobs[i];
    if (i > 0) text += "next\n";  // which forgets all but what curl itself does
    add("url", blob.url);
    add("output", (task.folder / std::to_string(i)).string());
    text += "fail\nsilent\nshow-error\nlocation\n";
    add("proto-redir", blob.url.starts_with("https:") ? "=https" : "=http,https");
    bool is_for_origin_alone = false;
    for (const auto& [name, value] : blob.headers) {
      add("header", name + ": " + value.reveal());
      is_for_origin_alone = is_for_origin_alone || to_lower(name) != "authorization";
    }
    if (is_for_origin_alone) text += "max-redirs = 0\n";  // curl would take any header but Authorization along
    if (!blob.tls.verify) text += "insecure\n";
    if (!blob.tls.ca_file.empty()) add("cacert", blob.tls.ca_file.string());
    if (!blob.tls.client_cert.empty()) add("cert", blob.tls.client_cert.string());
    if (!blob.tls.client_key.empty()) add("key", blob.tls.client_key.string());
  }
  return text;
}

ToolRun load_run(std::string_view tool, const LoadTask& task) {
  ToolRun run;
  if (tool == "docker") {
    for (const std::filesystem::path& archive : task.archives) {
      std::vector<std::string> words = task.engine_words;
      words.insert(words.end(), {"load", "-q", "-i", archive.string()});
      run.commands.push_back(std::move(words));
    }
    return run;
  }
  for (const Reference& reference : task.references) {
    std::vector<std::string> words = skopeo_words(task.platform);
    if (!task.engine_url.empty()) words.insert(words.end(), {"--dest-daemon-host", task.engine_url});
    words.push_back("oci:" + task.store.string() + ":" + reference.to_string());
    words.push_back("docker-daemon:" + reference.familiar());
    run.commands.push_back(std::move(words));
  }
  return run;
}

}  // namespace drover::cli
