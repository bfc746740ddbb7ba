# Sourced by the scripts beside it.

# Installs what is missing, as root on Debian or Ubuntu; elsewhere says what will be left out. The arguments: packages, and a
# program of each, as in `bsdutils:script`.
install_packages() {
    local missing=() pair
    for pair in "$@"; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${pair#*:}" > /dev/null || missing+=("${pair%%:*}")
    done
    if [[ ${#missing[@]} -eq 0 ]]; then return; fi
    if [[ $(id -u) != 0 ]] || ! command -v apt-get > /dev/null; then
        echo "$0: not installed, what needs it will be skipped: ${missing[*]}" >&2
        return
    fi
    # The tests start servers of their own; the packages' shall not start.
    local policy=/usr/sbin/policy-rc.d made=0
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' > $policy
        chmod 755 $policy
        made=1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update || true
    apt-get -qq install --yes --no-install-recommends "${missing[@]}" > /dev/null \
        || echo "$0: installing ${missing[*]} failed, what needs them will be skipped" >&2
    if [[ $made == 1 ]]; then rm $policy; fi
}
