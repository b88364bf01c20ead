#!/bin/busybox sh
# The arm64 guest's init: devices, network, the folder shared with the host, then what the test has laid there, and a
# shell on the channel to the host.
/bin/busybox --install -s /bin
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mkdir -p /dev/shm
mount -t tmpfs shm /dev/shm
modprobe -a 9pnet_virtio 9p virtio_net virtio_console
mount -t 9p -o trans=virtio,version=9p2000.L,msize=131072 host /share
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
modprobe -a $(cat /share/modules)
mkdir -p /opt/porter
[ -b /dev/vdb ] && mount -t ext4 -o ro /dev/vdb /opt/porter
sh /share/start >/share/start.log 2>&1 &
while ! [ -c /dev/vport*p1 ]; do sleep 0.1; done
channel=$(echo /dev/vport*p1)
shells() {
  while :; do
    # Opened once: a second opening is refused. What the host says before it is lost.
    sh -c 'echo ready; exec sh' <>"$channel" >&0 2>&1
    sleep 1
  done
}
[ -e /share/systemd ] || shells
# Debian's own first program goes on from here; the shell stays beside it.
shells &
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
exec /lib/systemd/systemd
