#!/bin/busybox sh
# The first process of a worker's virtual machine: brings up disk, shares and network, runs the worker as nobody in
# particular, and reports how it ended. Written for busybox; deploy/machine.ts puts it where the kernel looks for it.
export PATH=/bin
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /system /above /root /orders
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod "/modules/$module"; done

# What comes through is what was written, byte for byte.
for line in 0 1 2; do stty -F "/dev/ttyS$line" raw -echo; done

# The disk comes up when it does.
until [ -b /dev/vda ]; do sleep 0.05; done
share() { mount -t 9p -o "trans=virtio,version=9p2000.L,msize=262144,nosuid,nodev,$3" "$1" "$2"; }
share orders /orders ro
. /orders/orders

# The system, and above it in memory the places of what is shared; then neither can be written to.
mount -t ext4 -o ro /dev/vda /system
mount -t tmpfs -o size=1m above /above
mkdir /above/upper /above/work
mount -t overlay -o lowerdir=/system,upperdir=/above/upper,workdir=/above/work root /root
mount -t tmpfs -o "size=$tmp,mode=1777,nosuid,nodev,noexec" tmp /root/tmp
mount -t proc proc /root/proc
mount --bind /dev /root/dev
for each in $folders; do
  rest="${each#*:}"
  place="/root${rest#*:}"
  mkdir -p "$place"
  share "${each%%:*}" "$place" "${rest%%:*}"
done
for each in $files; do
  place="/root${each#*:}"
  mkdir -p "${place%/*}"
  [ -e "$place" ] || : > "$place"
  mount --bind "/orders/${each%%:*}" "$place"
done
mount -o remount,ro /root
# Where the worker is told 127.0.0.1, that of the host is meant: nothing listens there in here, so it has no such address itself.
echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet
ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2
ip route add 127.0.0.0/8 via 10.0.2.2

mkfifo /output
cat /output > /dev/ttyS0 &
printer=$!
exec 3> /output
echo weir-output-begins >&3
(
  ulimit -u "$pids"
  run_worker chroot /root /usr/lib/weir/busybox start-stop-daemon -S -q -c "$user" -x /usr/bin/node -- /weir/weir.js
) >&3 2>&1 < /dev/null &
worker=$!
exec 3>&-
echo started > /dev/ttyS1
(read -r word < /dev/ttyS2; kill -TERM "$worker") &
wait "$worker"
code=$?
dmesg | grep -q 'Out of memory: Killed process' && echo memory > /dev/ttyS1
wait "$printer"
sync
echo "exit $code" > /dev/ttyS1
reboot -f
