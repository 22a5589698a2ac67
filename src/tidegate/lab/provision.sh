#!/bin/sh
# Makes a Debian root file system a lab server; runs in a chroot, without network.
# VARIANT is server, bare or bare-without-podman; PUBLIC_KEY opens root and deploy;
# LIMITS=keep where the machine may not raise resource limits (no CAP_SYS_RESOURCE).
set -eu

# -- every variant: what a real machine would have, or what only the lab needs ------------------
update-ca-certificates >/dev/null 2>&1

install -d -m 700 /root/.ssh
echo "$PUBLIC_KEY" > /root/.ssh/authorized_keys
chmod 600 /root/.ssh/authorized_keys
rm -f /etc/ssh/ssh_host_*
cat > /etc/ssh/sshd_config.d/10-lab.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
PrintMotd no
MaxStartups 200
PerSourcePenalties no
END

# The kernel is the machine's: a server may set what is its own (net.*), not the rest.
for file in /usr/lib/sysctl.d/*.conf; do
    sed -i -n '/^-\{0,1\}net\./p' "$file"
done

# No udev in here: what it would have done.
cat > /etc/tmpfiles.d/lab.conf <<'END'
c /dev/net/tun 0666 root root - 10:200
z /dev/net/tun 0666 root root -
z /dev/fuse 0666 root root -
END
cat > /etc/systemd/system/lab-mounts.service <<'END'
[Unit]
Description=Share the mounts below /, as systemd does where it is not in a container
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
ExecStart=/usr/bin/mount --make-rshared /

[Install]
WantedBy=sysinit.target
END
systemctl -q enable lab-mounts.service
for unit in systemd-modules-load.service console-getty.service e2scrub_reap.service \
    e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    sys-kernel-debug.mount sys-kernel-tracing.mount modprobe@.service systemd-firstboot.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done

if [ "$LIMITS" = keep ]; then
    install -d /etc/containers/containers.conf.d
    cat > /etc/containers/containers.conf.d/50-lab.conf <<'END'
# This machine may not raise resource limits; Podman's defaults would be refused.
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=10000:10000"]
pids_limit = 0
END
fi

# -- bare servers end here ----------------------------------------------------------------------
if [ "$VARIANT" = bare-without-podman ]; then
    apt-get -qq purge --autoremove -y podman crun netavark aardvark-dns passt uidmap catatonit \
        dbus-user-session >/dev/null
fi
[ "$VARIANT" = server ] || exit 0

# -- ready for Tidegate -------------------------------------------------------------------------
useradd --create-home --uid 1000 --shell /bin/bash deploy
echo "deploy:100000:65536" > /etc/subuid
echo "deploy:100000:65536" > /etc/subgid
install -d -m 700 -o deploy -g deploy /home/deploy/.ssh
install -m 600 -o deploy -g deploy /root/.ssh/authorized_keys /home/deploy/.ssh/authorized_keys
install -d -o deploy -g deploy /home/deploy/.local /home/deploy/.local/share /home/deploy/.config
install -d /var/lib/systemd/linger
touch /var/lib/systemd/linger/deploy
echo 'net.ipv4.ip_unprivileged_port_start = 80' > /etc/sysctl.d/50-tidegate.conf
install -d -m 2755 -g systemd-journal /var/log/journal
install -d /etc/systemd/user
ln -sf /dev/null /etc/systemd/user/podman-user-wait-network-online.service
