// The media types of images and what they mean (OCI image-spec v1.1 media-types.md; Docker image manifest v2 schema 2).
#pragma once

#include <string>
#include <string_view>

namespace drover {

namespace media_type {
inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view oci_foreign_layer = "application/vnd.oci.image.layer.nondistributable.v1.tar";
inline constexpr std::string_view oci_foreign_layer_gzip = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
inline constexpr std::string_view oci_foreign_layer_zstd = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
inline constexpr std::string_view docker_manifest_list = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view docker_layer_gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view docker_layer_zstd = "application/vnd.docker.image.rootfs.diff.tar.zstd";  // written by BuildKit
inline constexpr std::string_view docker_foreign_layer = "application/vnd.docker.image.rootfs.foreign.diff.tar";
inline constexpr std::string_view docker_foreign_layer_gzip = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
inline constexpr std::string_view docker_schema1 = "application/vnd.docker.distribution.manifest.v1+json";
inline constexpr std::string_view docker_schema1_signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
}  // namespace media_type

// Lower-cased, without parameters: "Application/JSON; charset=utf-8" -> "application/json". Empty where `text` is not a media type
// (RFC 6838 section 4.2). What the functions below are given has gone through this.
std::string parse_media_type(std::string_view text);

// Says nothing about the document ("application/json", "text/plain", "application/octet-stream", "binary/octet-stream" of S3, or
// nothing at all): it has to be looked at.
bool is_generic_media_type(std::string_view type);
bool is_index_media_type(std::string_view type);
bool is_manifest_media_type(std::string_view type);   // of one platform; schema 1 is not among them
bool is_schema1_media_type(std::string_view type);
bool is_layer_media_type(std::string_view type);      // a file-system layer of any compression, foreign ones included
bool is_foreign_layer_media_type(std::string_view type);  // non-distributable: a registry need not have its bytes

}  // namespace drover
