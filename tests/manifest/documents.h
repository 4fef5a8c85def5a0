// Small documents to vary, and the check of how one is refused.
#pragma once

#include "base/error.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <string_view>

namespace drover {

inline const std::string digest_a = "sha256:" + std::string(64, 'a');
inline const std::string digest_b = "sha256:" + std::string(64, 'b');
inline const std::string digest_c = "sha256:" + std::string(64, 'c');

inline std::string descriptor(std::string_view media_type, std::string_view digest, std::string_view more = "") {
  return R"({"mediaType":")" + std::string(media_type) + R"(","digest":")" + std::string(digest) + R"(","size":7)" + std::string(more) + "}";
}

inline const std::string oci_config_json = descriptor("application/vnd.oci.image.config.v1+json", digest_a);
inline const std::string oci_layer_json = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest_b);
inline const std::string oci_child_json = descriptor("application/vnd.oci.image.manifest.v1+json", digest_c,
                                                     R"(,"platform":{"architecture":"amd64","os":"linux"})");

// Replaces the first `from`, which must be there.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

// For BOOST_CHECK_EXCEPTION: the code, and a piece of the message.
struct Says {
  ErrorCode code;
  std::string piece;
  bool operator()(const Error& error) const {
    const bool ok = error.code() == code && std::string_view(error.what()).find(piece) != std::string_view::npos;
    if (!ok) BOOST_TEST_MESSAGE("wanted: " << to_string(code) << ": " << piece << "; got: " << to_string(error.code()) << ": " << error.what());
    return ok;
  }
};

}  // namespace drover
