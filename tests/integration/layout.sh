# shellcheck shell=bash
# Writes multi-architecture images as an OCI image layout with tar, gzip, sha256sum and jq: nothing is executed, so a
# foreign architecture needs no emulation. Image spec v1.1, image-layout.md.
#
#   layout_begin DIR
#   layout_layer DIR TREE [gzip|zstd|tar]      a JSON object {descriptor, diffId}
#   layout_manifest DIR ARCH CONFIG LAYER…     CONFIG is the image config's "config" object; the manifest's descriptor
#   layout_index DIR NAME MANIFEST…            an index of them, known in the layout as NAME
#   layout_busybox ARCH OUT CACHE              Debian's busybox-static of that architecture as the file OUT

layout_begin() {
  mkdir -p "$1/blobs/sha256"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
  echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}' >"$1/index.json"
}

# layout_put DIR FILE MEDIA_TYPE: moves FILE under its digest.
layout_put() {
  local digest size
  digest=$(sha256sum <"$2" | cut -d' ' -f1)
  size=$(stat -c %s "$2")
  mv "$2" "$1/blobs/sha256/$digest"
  jq -cn --arg m "$3" --arg d "sha256:$digest" --argjson s "$size" '{mediaType: $m, digest: $d, size: $s}'
}

layout_layer() {
  local dir=$1 tree=$2 kind=${3:-gzip} tar diff_id media=application/vnd.oci.image.layer.v1.tar
  tar=$(mktemp "$dir/layer.XXXXXX")
  tar --sort=name --mtime=@1700000000 --owner=0 --group=0 --numeric-owner --format=gnu -C "$tree" -cf "$tar" .
  diff_id=sha256:$(sha256sum <"$tar" | cut -d' ' -f1)
  case $kind in
    gzip) gzip -n -6 "$tar"; mv "$tar.gz" "$tar"; media+=+gzip ;;
    zstd) zstd -q --rm -6 "$tar" -o "$tar.zst"; mv "$tar.zst" "$tar"; media+=+zstd ;;
    tar) ;;
    *) echo "layout: unknown compression $kind" >&2; return 1 ;;
  esac
  jq -cn --argjson descriptor "$(layout_put "$dir" "$tar" "$media")" --arg diffId "$diff_id" '{descriptor: $descriptor, diffId: $diffId}'
}

layout_manifest() {
  local dir=$1 arch=$2 config=$3 file platform
  shift 3
  file=$(mktemp "$dir/json.XXXXXX")
  platform=$(jq -cn --arg a "$arch" '{os: "linux", architecture: $a} + if $a == "arm64" then {variant: "v8"} else {} end')
  jq -cn --argjson p "$platform" --argjson c "$config" '$p + {created: "2024-01-17T11:19:02Z", config: $c,
    rootfs: {type: "layers", diff_ids: [$ARGS.positional[].diffId]}, history: [$ARGS.positional[] | {created_by: "drover demo"}]}' \
    --jsonargs -- "$@" >"$file"
  config=$(layout_put "$dir" "$file" application/vnd.oci.image.config.v1+json)
  file=$(mktemp "$dir/json.XXXXXX")
  jq -cn --argjson c "$config" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $c,
    layers: [$ARGS.positional[].descriptor]}' --jsonargs -- "$@" >"$file"
  layout_put "$dir" "$file" application/vnd.oci.image.manifest.v1+json | jq -c --argjson p "$platform" '. + {platform: $p}'
}

layout_index() {
  local dir=$1 name=$2 file entry
  shift 2
  file=$(mktemp "$dir/json.XXXXXX")
  jq -cn '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: $ARGS.positional}' --jsonargs -- "$@" >"$file"
  entry=$(layout_put "$dir" "$file" application/vnd.oci.image.index.v1+json)
  jq -c --argjson e "$entry" --arg n "$name" '.manifests += [$e + {annotations: {"org.opencontainers.image.ref.name": $n}}]' \
    "$dir/index.json" >"$dir/index.new"
  mv "$dir/index.new" "$dir/index.json"
}

# With lists and a package state of apt's own in CACHE: the machine's architectures and lists stay as they are.
layout_busybox() {
  local arch=$1 out=$2 cache=$3/$1 options deb log
  mkdir -p "$cache/lists/partial" "$cache/archives/partial" "$cache/deb"
  deb=$(find "$cache/deb" -name 'busybox-static_*.deb' | head -1)
  if [[ ! $deb ]]; then
    : >"$cache/status"
    log=$cache/log
    options=(-q -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$cache" -o "Dir::State::lists=$cache/lists"
      -o "Dir::State::status=$cache/status" -o "Dir::Cache=$cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
    # A list that cannot be fetched matters only when the package is not in the others.
    apt-get "${options[@]}" update >"$log" 2>&1 || true
    (cd "$cache/deb" && apt-get "${options[@]}" download busybox-static >>"$log" 2>&1) || { tail -5 "$log" >&2; return 1; }
    deb=$(find "$cache/deb" -name 'busybox-static_*.deb' | head -1)
    rm -rf "$cache/lists" "$cache/archives" "$cache"/*.bin
  fi
  dpkg-deb --fsys-tarfile "$deb" | tar -xO ./bin/busybox >"$out"
  chmod 755 "$out"
}
