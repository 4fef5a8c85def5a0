// Sources as one line each, for golden texts.
#pragma once

#include "registry/source.h"

#include <string>
#include <vector>

namespace drover::registry {

// "mirror https://lan:5000/v2 library/redis ns=docker.io resolve pull unverified ca=/x (/f:3)"; a '?' for a scheme that is left to the
// rule, '!' for one that is marked insecure. Headers as name=value.
inline std::string to_text(const Source& source) {
  using Scheme = Site::Scheme;
  const Site& site = source.site;
  const std::string scheme = site.scheme == Scheme::https ? "https" : site.scheme == Scheme::http ? "http" : site.scheme == Scheme::any ? "!" : "?";
  std::string text = std::string(source.is_mirror ? "mirror " : "itself ") + scheme + "://" + site.registry + site.api + " " + source.repository;
  if (!source.namespace_name.empty()) text += " ns=" + source.namespace_name;
  if (source.can_resolve) text += " resolve";
  if (source.can_pull) text += " pull";
  if (!site.is_verified) text += " unverified";
  if (!site.tls.ca_file.empty()) text += " ca=" + site.tls.ca_file.string();
  if (!site.tls.client_cert.empty()) text += " client=" + site.tls.client_cert.string() + "," + site.tls.client_key.string();
  for (const SiteHeader& header : site.headers) text += " " + header.name + "=" + header.value.reveal();
  return text + (site.origin.empty() ? "" : " (" + site.origin + ")");
}

inline std::string to_text(const std::vector<Source>& sources) {
  std::string text;
  for (const Source& source : sources) text += to_text(source) + "\n";
  return text;
}

}  // namespace drover::registry
