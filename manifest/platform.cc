#include "manifest/platform.h"

#include "base/error.h"
#include "base/text.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>

namespace drover {

namespace {

// Words of the Go toolchain, which is where images take theirs from.
constexpr std::array<std::string_view, 17> known_systems = {"aix",   "android", "darwin",  "dragonfly", "freebsd", "hurd",    "illumos", "ios", "js",
                                                            "linux", "netbsd",  "openbsd", "plan9",     "solaris", "wasip1", "windows", "zos"};
constexpr std::array<std::string_view, 24> known_architectures = {
    "386",      "amd64",    "arm",        "arm64", "arm64be", "armbe",   "loong64", "mips", "mips64", "mips64le", "mips64p32", "mips64p32le",
    "mipsle",   "ppc",      "ppc64",      "ppc64le", "riscv", "riscv64", "s390",    "s390x", "sparc", "sparc64", "wasm",      "amd64p32"};

template <std::size_t size>
bool is_known(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view host_system() { return "linux"; }

std::string normalise_system(std::string_view os) {
  if (os.empty()) return std::string(host_system());
  std::string lower = to_lower(os);
  return lower == "macos" ? "darwin" : lower;
}

struct Architecture {
  std::string name;
  std::string variant;
};

// The table of containerd's platforms package; what it leaves alone ("armv7l", "arm/v9", "unknown") is left alone.
Architecture normalise_architecture(std::string_view name_as_written, std::string_view variant_as_written) {
  const std::string name = to_lower(name_as_written);
  const std::string variant = to_lower(variant_as_written);
  if (name == "i386") return {"386", ""};
  if (name == "x86_64" || name == "x86-64" || name == "amd64") return {"amd64", variant == "v1" ? "" : variant};
  if (name == "aarch64" || name == "arm64") {
    if (variant == "8" || variant == "v8" || variant == "v8.0") return {"arm64", ""};
    if (variant == "9" || variant == "9.0" || variant == "v9.0") return {"arm64", "v9"};
    return {"arm64", variant};
  }
  if (name == "armhf") return {"arm", "v7"};
  if (name == "armel") return {"arm", "v6"};
  if (name == "arm") {
    if (variant.empty() || variant == "7") return {"arm", "v7"};
    if (variant == "5" || variant == "6" || variant == "8") return {"arm", "v" + variant};
  }
  return {name, variant};
}

bool is_architecture_word(std::string_view word) { return is_known(known_architectures, normalise_architecture(word, "").name); }

Platform with_architecture(const Platform& platform, std::string architecture, std::string variant) {
  Platform other = platform;
  other.architecture = std::move(architecture);
  other.variant = std::move(variant);
  return other;
}

// --- parsing --------------------------------------------------------------------------------------------------------------------

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(ErrorCode::usage, "not a platform: \"" + printable(text, 80) + "\": " + why);
}

bool consists_of(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return is_alnum(c) || marks.find(c) != std::string_view::npos; });
}

// "windows(10.0.17763.1+win32k)" -> os, os_version, os_features; as written.
void parse_system(std::string_view text, std::string_view part, Platform& platform) {
  const std::size_t open = part.find('(');
  const std::string_view os = part.substr(0, open);
  if (os.empty() || !consists_of(os, "_-")) refuse(text, "an OS is letters, digits, _ and -; write os/arch[/variant], as linux/arm64");
  platform.os = os;
  if (open == std::string_view::npos) return;
  if (part.back() != ')') refuse(text, "the options of an OS end with \")\", as in windows(10.0.17763.1)/amd64");
  const std::string_view options = part.substr(open + 1, part.size() - open - 2);
  if (!consists_of(options, "_.+-")) refuse(text, "the options of an OS are a version and +features, as in windows(10.0.17763.1+win32k)");
  const std::vector<std::string_view> words = split(options, '+');
  platform.os_version = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i].empty()) refuse(text, "a feature of the OS is empty");
    platform.os_features.emplace_back(words[i]);
  }
}

Platform parse_one_word(std::string_view text, Platform platform) {
  if (is_known(known_systems, normalise_system(platform.os))) {
    const Platform host = Platform::host();
    return with_architecture(platform, host.architecture, host.variant);
  }
  if (is_architecture_word(text)) {
    platform.os = host_system();
    return with_architecture(platform, std::string(text), "");
  }
  std::vector<std::string> words(known_architectures.begin(), known_architectures.end());
  words.insert(words.end(), known_systems.begin(), known_systems.end());
  const auto near = did_you_mean(to_lower(text), words);
  refuse(text, "neither a known OS nor a known architecture; " + (near ? "did you mean " + *near + "?" : "write os/arch[/variant], as linux/arm64"));
}

// --- fallbacks ------------------------------------------------------------------------------------------------------------------

// The number of "v<number>"; nothing for anything else.
std::optional<unsigned> level_of(std::string_view variant) {
  if (variant.size() < 2 || variant.size() > 3 || variant.front() != 'v') return std::nullopt;
  const auto number = parse_uint(variant.substr(1));
  return number ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

struct ArmVersion {
  unsigned major = 8;
  unsigned minor = 0;
};

// "", "v8", "v9" and "v8.0" to "v9.9", the versions of the architecture that exist or are near.
std::optional<ArmVersion> arm64_version(std::string_view variant) {
  if (variant.empty()) return ArmVersion{};
  if (variant.size() != 2 && variant.size() != 4) return std::nullopt;
  if (variant[0] != 'v' || (variant[1] != '8' && variant[1] != '9')) return std::nullopt;
  const unsigned major = variant[1] == '8' ? 8 : 9;
  if (variant.size() == 2) return ArmVersion{major, 0};
  if (variant[2] != '.' || !is_digit(variant[3])) return std::nullopt;
  return ArmVersion{major, static_cast<unsigned>(variant[3] - '0')};
}

void add_arm(std::vector<Platform>& list, const Platform& wanted, unsigned level) {
  for (; level >= 5; --level) list.push_back(with_architecture(wanted, "arm", "v" + std::to_string(level)));
}

void add_arm64(std::vector<Platform>& list, const Platform& wanted, unsigned major, unsigned minor) {
  for (;; --minor) {
    const std::string suffix = minor == 0 ? "" : "." + std::to_string(minor);
    list.push_back(normalise(with_architecture(wanted, "arm64", "v" + std::to_string(major) + suffix)));
    if (minor == 0) return;
  }
}

// v9.0 came out of v8.5: v9.x runs what v8.(x+5) runs, and 8.9 is the last of the eighth.
constexpr unsigned arm_v9_offset = 5;
constexpr unsigned arm_v8_minor_max = 9;

std::vector<Platform> arm64_fallbacks(const Platform& wanted) {
  const auto version = arm64_version(wanted.variant);
  if (!version) return {};
  std::vector<Platform> list;
  if (version->major == 9) {
    add_arm64(list, wanted, 9, version->minor);
    add_arm64(list, wanted, 8, std::min(version->minor + arm_v9_offset, arm_v8_minor_max));
  } else {
    add_arm64(list, wanted, 8, version->minor);
  }
  add_arm(list, wanted, 8);
  return list;
}

// --- matching -------------------------------------------------------------------------------------------------------------------

// "10.0.17763.1234" -> "10.0.17763".
std::string_view windows_build(std::string_view version) {
  std::size_t end = 0;
  for (int dots = 0; end < version.size(); ++end) {
    if (version[end] == '.' && ++dots == 3) break;
  }
  return version.substr(0, end);
}

bool has_matching_version(const Platform& wanted, const Platform& candidate) {
  if (wanted.os != "windows" || wanted.os_version.empty() || candidate.os_version.empty()) return true;
  return windows_build(wanted.os_version) == windows_build(candidate.os_version);
}

// Features of images are demands; "win32k" says only what every full Windows has.
bool has_matching_features(const Platform& wanted, const Platform& candidate) {
  return std::all_of(candidate.os_features.begin(), candidate.os_features.end(), [&](const std::string& feature) {
    return feature == "win32k" || std::find(wanted.os_features.begin(), wanted.os_features.end(), feature) != wanted.os_features.end();
  });
}

}  // namespace

Platform Platform::parse(std::string_view text) {
  if (text.empty()) refuse(text, "empty; write os/arch[/variant], as linux/arm64");
  if (text.find('*') != std::string_view::npos) refuse(text, "wildcards are not supported; name each platform");
  const std::vector<std::string_view> parts = split(text, '/');
  if (parts.size() > 3) refuse(text, "more than os/arch/variant");
  Platform platform;
  parse_system(text, parts[0], platform);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty() || !consists_of(parts[i], "_.-")) refuse(text, "an architecture or variant is letters, digits, _, . and -");
  }
  if (parts.size() == 1) return normalise(parse_one_word(text, std::move(platform)));
  if (!is_known(known_systems, normalise_system(platform.os)) && is_architecture_word(parts[0])) {
    refuse(text, "it begins with an architecture and names no OS; did you mean linux/" + std::string(text.substr(0, 60)) + "?");
  }
  return normalise(with_architecture(platform, std::string(parts[1]), parts.size() == 3 ? std::string(parts[2]) : ""));
}

Platform Platform::host() {
  Platform platform{.os = std::string(host_system())};
  // What the program was built for, not what the kernel says: a 32-bit user land runs on a 64-bit kernel.
#if defined(__x86_64__)
  platform.architecture = "amd64";
#elif defined(__aarch64__)
  platform.architecture = "arm64";
#elif defined(__i386__)
  platform.architecture = "386";
#else
  utsname names{};
  const std::string machine = uname(&names) == 0 ? names.machine : "unknown";
  platform.architecture = machine;
  if (machine.starts_with("armv") && machine.size() > 4) {  // "armv7l", "armv6l"
    platform.architecture = "arm";
    platform.variant = machine.substr(3, 2);
  }
#endif
  return normalise(std::move(platform));
}

std::string Platform::to_string() const {
  const Platform p = normalise(*this);
  std::string text = p.os;
  if (!p.os_version.empty() || !p.os_features.empty()) {
    text += '(' + p.os_version;
    for (const std::string& feature : p.os_features) text += '+' + feature;
    text += ')';
  }
  text += '/' + p.architecture;
  if (!p.variant.empty()) text += '/' + p.variant;
  return text;
}

Platform normalise(Platform platform) {
  platform.os = normalise_system(platform.os);
  Architecture architecture = normalise_architecture(platform.architecture, platform.variant);
  platform.architecture = std::move(architecture.name);
  platform.variant = std::move(architecture.variant);
  auto& features = platform.os_features;
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return platform;
}

std::vector<Platform> fallbacks(const Platform& wanted_as_written) {
  const Platform wanted = normalise(wanted_as_written);
  if (wanted.architecture == "arm64") return arm64_fallbacks(wanted);
  std::vector<Platform> list{wanted};
  const auto level = level_of(wanted.variant);
  if (wanted.architecture == "amd64") {
    for (unsigned lower = level.value_or(1); lower > 1; --lower) {
      list.push_back(normalise(with_architecture(wanted, "amd64", "v" + std::to_string(lower - 1))));
    }
    list.push_back(with_architecture(wanted, "386", ""));
  } else if (wanted.architecture == "arm" && level && *level > 5) {
    add_arm(list, wanted, *level - 1);
  }
  return list;
}

std::optional<std::size_t> match_rank(const Platform& wanted_as_written, const Platform& candidate_as_written) {
  const Platform wanted = normalise(wanted_as_written);
  const Platform candidate = normalise(candidate_as_written);
  if (!has_matching_version(wanted, candidate) || !has_matching_features(wanted, candidate)) return std::nullopt;
  const std::vector<Platform> list = fallbacks(wanted);
  const auto found = std::find_if(list.begin(), list.end(), [&](const Platform& p) {
    return p.os == candidate.os && p.architecture == candidate.architecture && p.variant == candidate.variant;
  });
  if (found == list.end()) return std::nullopt;
  return static_cast<std::size_t>(found - list.begin());
}

}  // namespace drover
