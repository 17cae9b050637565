"""Debian's Postfix, Exim and OpenSMTPD, unpacked by tests/lab/fetch, in a
root of their own: the system's files with the packages laid over them.

Servers, by address (198.51.100.x in namespace `server`):

    .10  Postfix; also 2001:db8:2::10       .20  Exim; also 2001:db8:2::20
    .11  Postfix without TLS                .21  Exim without TLS
    .12  Postfix whose key is missing       .22  Exim whose key is missing
    .13  Postfix that hides STARTTLS        .30  OpenSMTPD
         from 192.0.2.20
"""
import os
import shutil
import subprocess
import time

import world

ROOT = "/run/lab/root"
ACCOUNTS = ("postfix", "postdrop", "Debian-exim", "opensmtpd", "opensmtpq")
DOMAINS = {  # what a client resolves; the last label but two says which server
    "postfix.example.org": "198.51.100.10",
    "promise.example.org": "198.51.100.10",
    "plain.example.org": "198.51.100.11",
    "broken.example.org": "198.51.100.12",
    "hiding.example.org": "198.51.100.13",
    "exim.example.com": "198.51.100.20",
    "plain.example.com": "198.51.100.21",
    "broken.example.com": "198.51.100.22",
    "opensmtpd.example.net": "198.51.100.30",
    "other.example.net": "198.51.100.40",
    "another.example.net": "198.51.100.41",
    "postfix6.example.org": "2001:db8:2::10",
    "exim6.example.com": "2001:db8:2::20",
}
STARTS_WITHIN_SECONDS = 20

MAIN_CF = """
compatibility_level = 3.6
queue_directory = /var/spool/postfix-{name}
data_directory = /var/lib/postfix-{name}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = /var/log/postfix-{name}.log
inet_interfaces = all
inet_protocols = all
mydestination =
local_recipient_maps =
alias_maps =
disable_dns_lookups = yes
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_tls_loglevel = 1
smtp_tls_loglevel = 1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
"""
SERVER_CF = """
myhostname = mx1.example.org
default_transport = discard
relay_domains = static:all
relay_transport = discard
smtpd_tls_cert_file = /lab/mx1.example.org.pem
smtpd_tls_key_file = /lab/mx1.example.org.key
smtpd_tls_security_level = may
smtpd_client_restrictions =
"""
CLIENT_CF = """
myhostname = relay.example.net
mynetworks = 127.0.0.0/8
smtp_tls_security_level = may
smtp_bind_address6 = 2001:db8:1::10
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
smtp_connection_cache_on_demand = no
smtp_connect_timeout = 5s
smtp_starttls_timeout = 4s
smtp_helo_timeout = 5s
smtp_mail_timeout = 4s
sender_dependent_default_transport_maps = inline:{ %s }
"""
MASTER_CF = """
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
SERVER_SERVICES = """
198.51.100.10:25 inet n - n - - smtpd
[2001:db8:2::10]:25 inet n - n - - smtpd
198.51.100.11:25 inet n - n - - smtpd -o smtpd_tls_security_level=none
198.51.100.12:25 inet n - n - - smtpd -o smtpd_tls_cert_file=/lab/none.pem
    -o smtpd_tls_key_file=/lab/none.key
198.51.100.13:25 inet n - n - - smtpd
    -o smtpd_discard_ehlo_keyword_address_maps=inline:{192.0.2.20=starttls}
"""
CLIENT_SERVICES = """
127.0.0.1:10 inet n - n - - smtpd
s10 unix - - n - - smtp -o smtp_bind_address=192.0.2.10
s11 unix - - n - - smtp -o smtp_bind_address=192.0.2.11
s12 unix - - n - - smtp -o smtp_bind_address=192.0.2.12
s20 unix - - n - - smtp -o smtp_bind_address=192.0.2.20
s30 unix - - n - - smtp -o smtp_bind_address=203.0.113.30
s6  unix - - n - - smtp
"""
SENDERS = {"192.0.2.10": "s10", "192.0.2.11": "s11", "192.0.2.12": "s12",
           "192.0.2.20": "s20", "203.0.113.30": "s30",
           "2001:db8:1::10": "s6"}
EXIM_SERVER = """
primary_hostname = mx2.example.com
keep_environment =
local_interfaces = <; 198.51.100.20; 198.51.100.21; 198.51.100.22; \
2001:db8:2::20
spool_directory = /var/spool/exim-server
log_file_path = /var/log/exim-server-%s
tls_advertise_hosts = ${if eq{$received_ip_address}{198.51.100.21}{:}{*}}
tls_certificate = ${if eq{$received_ip_address}{198.51.100.22}\
{/lab/none.pem}{/lab/mx2.example.com.pem}}
tls_privatekey = ${if eq{$received_ip_address}{198.51.100.22}\
{/lab/none.key}{/lab/mx2.example.com.key}}
host_lookup =
rfc1413_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
begin acl
accept:
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim
begin retry
* * F,1h,1m
"""
EXIM_CLIENT = """
primary_hostname = out.example.net
spool_directory = /var/spool/exim-client
log_file_path = /var/log/exim-client-%s
acl_smtp_rcpt = accept
keep_environment =
begin routers
all:
  driver = manualroute
  transport = away
  route_data = $domain byname
begin transports
away:
  driver = smtp
  interface = SOURCE
  helo_data = out.example.net
  connect_timeout = 5s
  command_timeout = 4s
  hosts_try_dane =
  hosts_try_prdr =
  hosts_pipe_connect =
begin retry
* * F,1h,1s
"""
SMTPD_CONF = """
pki mx3.example.net cert "/lab/mx3.example.net.pem"
pki mx3.example.net key "/lab/mx3.example.net.key"
listen on 198.51.100.30 tls pki mx3.example.net hostname mx3.example.net
table everybody { "@" = "nobody" }
action "drop" mda "/bin/cat" virtual <everybody>
match from any for any action "drop"
"""


def missing(packages):
    """What tests/lab/run cannot do without; text, empty: nothing."""
    lacks = [] if os.path.isdir(os.path.join(packages, "usr/lib/postfix")) \
        else ["the mail servers: tests/lab/fetch unpacks them into build/lab"]
    for tool, package in (("ip", "iproute2"), ("unshare", "util-linux"),
                          ("openssl", "openssl")):
        if not any(os.access(os.path.join(folder, tool), os.X_OK)
                   for folder in os.environ["PATH"].split(":")):
            lacks.append("%s: apt-get install %s" % (tool, package))
    return lacks


def write(path, text, mode=0o644):
    path = ROOT + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def run(space, *args, text=None, wait=True):
    command = ["ip", "netns", "exec", space, "chroot", ROOT, *args]
    if not wait:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
    return subprocess.run(command, input=text, text=True, timeout=60,
                          capture_output=True)


def lay_root(packages):
    """An overlay: nothing here reaches the system's own files."""
    for name in ("work", "root"):
        os.makedirs("/run/lab/" + name)
    # A copy: layers of an overlay must not lie in each other.
    shutil.copytree(packages, "/run/lab/upper", symlinks=True)
    world.sh("mount", "-t", "overlay", "lab", "-o",
             "lowerdir=/,upperdir=/run/lab/upper,workdir=/run/lab/work",
             ROOT)
    for name in ("proc", "dev"):
        world.sh("mount", "--rbind", "/" + name, ROOT + "/" + name)
    passwd, group = "root:x:0:0::/root:/bin/sh\n", "root:x:0:\n"
    for number, name in enumerate(ACCOUNTS, 500):
        passwd += "%s:x:%d:%d::/nonexistent:/bin/false\n" % (name, number,
                                                             number)
        group += "%s:x:%d:\n" % (name, number)
    write("/etc/passwd", passwd + "nobody:x:65534:65534::/:/bin/false\n")
    write("/etc/group", group + "mail:x:8:\nnogroup:x:65534:\n")
    write("/etc/hosts", "".join("%s %s\n" % (a, n)
                                for n, a in DOMAINS.items()))
    write("/etc/hostname", "lab.example.net\n")
    write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n")
    write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def certificate(name, ca="ca", days="3650", subject=None):
    """/lab/NAME.pem, .key, signed by /lab/CA; by itself if that is `self`."""
    folder = ROOT + "/lab/"
    os.makedirs(folder, exist_ok=True)
    key, request = folder + name + ".key", folder + name + ".csr"
    host = subject or name
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + host)
    with open(folder + "san", "w") as f:
        f.write("subjectAltName=DNS:%s\n" % host if ca != "root" else
                "basicConstraints=critical,CA:TRUE\n")
    signer = ["-signkey", key] if ca in ("self", "root") else \
        ["-CA", folder + ca + ".pem", "-CAkey", folder + ca + ".key",
         "-CAcreateserial"]
    openssl("x509", "-req", "-in", request, *signer, "-days", days,
            "-extfile", folder + "san", "-out", folder + name + ".pem")
    os.chmod(key, 0o644)


def authority(keep):
    """One CA for all runs, in the folder `keep`: scenarios may be made anew
    one by one."""
    names = ("ca.pem", "ca.key")
    if not os.path.exists(os.path.join(keep, "ca.pem")):
        certificate("ca", "root", subject="Laboratory CA")
        os.makedirs(keep, exist_ok=True)
        for name in names:
            shutil.copy(ROOT + "/lab/" + name, keep)
    os.makedirs(ROOT + "/lab", exist_ok=True)
    for name in names:
        shutil.copy(os.path.join(keep, name), ROOT + "/lab/")


def certificates(keep):
    authority(keep)
    certificate("evil-ca", "root", subject="Other CA")
    for name in ("mx1.example.org", "mx2.example.com", "mx3.example.net"):
        certificate(name)
    certificate("stranger", "evil-ca", subject="mail.example.net")
    certificate("self", "self", subject="localhost.example")
    certificate("other-name", subject="www.example.net")
    certificate("renewed", subject="mx1.example.org")
    certificate("imitation", "evil-ca", subject="mx1.example.org")


def start_postfix(name, space, settings, services):
    folder = "/etc/postfix-" + name
    write(folder + "/main.cf", MAIN_CF.format(name=name) + settings)
    write(folder + "/master.cf", MASTER_CF + services)
    write(folder + "/dynamicmaps.cf", "")
    write("/etc/postfix/dynamicmaps.cf", "")
    for folder_ in ("/var/lib/postfix-" + name, "/var/spool/postfix-" + name):
        os.makedirs(ROOT + folder_, exist_ok=True)
    os.chown(ROOT + "/var/lib/postfix-" + name, 500, 500)
    done = run(space, "/usr/sbin/postfix", "-c", folder, "start")
    if done.returncode:
        raise SystemExit("lab: postfix does not start: %s%s" %
                         (done.stdout, done.stderr))


def start_exim():
    write("/etc/exim4/trusted_configs", "/etc/exim/server.conf\n"
          "/etc/exim/now.conf\n")
    for name, text in (("server", EXIM_SERVER), ("client", EXIM_CLIENT)):
        write("/etc/exim/%s.conf" % name, text)
        os.makedirs(ROOT + "/var/spool/exim-" + name)
        os.chown(ROOT + "/var/spool/exim-" + name, 502, 502)
    os.chmod(ROOT + "/var/log", 0o777)
    run("server", "/usr/sbin/exim4", "-C", "/etc/exim/server.conf", "-bdf",
        wait=False)


def start_opensmtpd():
    write("/etc/smtpd.conf", SMTPD_CONF)
    for folder in ("/var/spool/smtpd", "/var/lib/opensmtpd/empty",
                   "/run/opensmtpd"):
        os.makedirs(ROOT + folder, exist_ok=True)
    os.chmod(ROOT + "/var/spool/smtpd", 0o711)
    for key in ("mx3.example.net.key",):
        os.chmod(ROOT + "/lab/" + key, 0o600)
    run("server", "/usr/sbin/smtpd", "-f", "/etc/smtpd.conf", wait=False)


def wait_for(address, port=25, space="server"):
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        try:
            s = world.connect(space, address, address, port, timeout=5)
            greeting = s.recv(512)
            s.close()
            if greeting:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("lab: nobody answers at %s:%d" % (address, port))


def start(packages, keep):
    """`packages`: as unpacked; `keep`: where the CA outlives a run."""
    lay_root(packages)
    certificates(keep)
    start_postfix("server", "server", SERVER_CF, SERVER_SERVICES)
    start_postfix("client", "client", CLIENT_CF % ", ".join(
        "{%s@example.net=%s:}" % (s, s) for s in SENDERS.values()),
        CLIENT_SERVICES)
    start_exim()
    start_opensmtpd()
    for address in ("198.51.100.10", "198.51.100.20", "198.51.100.30"):
        wait_for(address)
    wait_for("127.0.0.1", 10, "client")
