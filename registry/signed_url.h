// When a signed storage URL stops working. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace drover::registry {

// From the query of a URL or of its path-and-query: AWS (X-Amz-Date and X-Amz-Expires), Google (X-Goog-Date and X-Goog-Expires), CloudFront
// and old S3 (Expires, in seconds since 1970), Azure SAS (se, RFC 3339), and `exp`/`expires` as other CDNs write it. Nothing when the
// query does not say.
std::optional<std::chrono::system_clock::time_point> parse_signed_url_expiry(std::string_view url);

}  // namespace drover::registry
