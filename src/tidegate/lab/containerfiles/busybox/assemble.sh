#!/bin/sh
# Lays out busybox, its applets and its libraries as the official image has them.
set -eu
out=$1
mkdir -p "$out/bin" "$out/etc" "$out/home" "$out/root" "$out/var/spool/mail" "$out/var/www" \
    "$out/usr/sbin" "$out/lib" "$out/dev" "$out/proc" "$out/sys"
mkdir -m 1777 "$out/tmp"
ln -s ../bin/env "$out/usr/env"
cp "$(command -v busybox)" "$out/bin/busybox"
"$out/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$out/bin/$applet"
done
mkdir -p "$out/usr/bin" && ln -s ../../bin/env "$out/usr/bin/env" && rm "$out/usr/env"
ldd "$out/bin/busybox" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$out$(dirname "$library")"
    cp -L "$library" "$out$library"
done
cat > "$out/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
END
cat > "$out/etc/group" <<'END'
root:x:0:
daemon:x:1:
www-data:x:33:
nogroup:x:65534:
END
echo 'hosts: files dns' > "$out/etc/nsswitch.conf"
