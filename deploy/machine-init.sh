#!/bin/busybox sh
# The first process of a worker's virtual machine: brings up disks and network, runs the worker as nobody in
# particular, and reports how it ended. Written for busybox; deploy/machine.ts puts it where the kernel looks for it.
export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /root /orders
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module"; done

# What comes through is what was written, byte for byte.
for line in 0 1 2; do stty -F "/dev/ttyS$line" raw -echo; done

# A disk by the name that it was given. Disks come up when they do.
find_disk() {
  for each in /sys/block/vd*; do [ "$(cat "$each/serial" 2>/dev/null)" = "$1" ] && echo "/dev/${each##*/}"; done
}
disk() {
  until [ -n "$(find_disk "$1")" ]; do sleep 0.05; done
  find_disk "$1"
}
mount -t ext4 -o ro "$(disk root)" /root
mount -t ext4 -o ro "$(disk orders)" /orders
. /orders/orders
mount -t tmpfs -o "size=$tmp,mode=1777,nosuid,nodev,noexec" tmp /root/tmp
mount -t proc proc /root/proc
mount --bind /dev /root/dev
for each in $folders; do
  place="/root${each#*:}"
  # Places that the image does not have would need a root that can be written to.
  [ -d "$place" ] || { mount -t tmpfs -o size=64k tmpfs "${place%/*}"; mkdir -p "$place"; }
  mount -t ext4 -o nosuid,nodev "$(disk "${each%%:*}")" "$place"
done
ip link set lo up
ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2

mkfifo /output
cat /output > /dev/ttyS0 &
printer=$!
exec 3> /output
echo weir-output-begins >&3
(
  ulimit -u "$pids"
  run_worker chroot /root /usr/lib/weir/busybox start-stop-daemon -S -q -c 65532:65532 -x /usr/bin/node -- /weir/weir.js
) >&3 2>&1 < /dev/null &
worker=$!
exec 3>&-
echo started > /dev/ttyS1
(read -r word < /dev/ttyS2; kill -TERM "$worker") &
wait "$worker"
code=$?
dmesg | grep -q 'Out of memory: Killed process' && echo memory > /dev/ttyS1
wait "$printer"
for each in $folders; do umount "/root${each#*:}"; done
sync
echo "exit $code" > /dev/ttyS1
reboot -f
