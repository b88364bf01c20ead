#!/bin/busybox sh
# First program of the arm64 guest: loads what the disk needs, and goes on from the disk.
busybox mount -t devtmpfs dev /dev
for module in $(busybox cat /modules); do busybox insmod "$module" || busybox echo "initrd: cannot load $module"; done
busybox mount -t ext4 -o rw,noatime /dev/vda /root || busybox poweroff -f
busybox mount -o move /dev /root/dev
busybox mount -t tmpfs run /root/run
busybox cp /init.sh /root/run/init
exec busybox switch_root /root /run/init
