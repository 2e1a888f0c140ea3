//! A network of the rig's own: the server's machine, the seats' and an attacker's in separate namespaces around one switch, whose cables lose,
//! double, slow down and cut. Never outside the rig's own network namespace; what is laid is taken up when dropped.

use anyhow::{Context, Result, ensure};
use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
    process::{Command, Stdio},
};

/// Where the server listens; the system chooses the port.
pub(crate) const SERVER: (IpAddr, u16) = (IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1)), 0);
const SWITCH: &str = "switch";
/// What the cable is called at a machine.
const UPLINK: &str = "uplink";
/// Longest queue before a bottleneck, and what may pass it at once.
const BOTTLENECK: [&str; 4] = ["burst", "16kb", "latency", "200ms"];

const ATTACKER_ADDRESSES: &str = "10.77.64.0/18";
const ATTACKER_PORT: &str = "rate 100mbit burst 64kb latency 20ms";

/// A machine at the switch besides the server's, which is the rig's own namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Seats,
    Attacker,
}

impl Place {
    const ALL: [Place; 2] = [Place::Seats, Place::Attacker];

    fn name(self) -> &'static str {
        match self {
            Place::Seats => "seats",
            Place::Attacker => "attacker",
        }
    }

    fn address(self) -> &'static str {
        match self {
            Place::Seats => "10.77.1.1/16",
            Place::Attacker => "10.77.2.1/16",
        }
    }

    /// The same command, run on that machine. Killing it kills the command itself.
    pub(crate) fn of(self, command: &Command) -> Command {
        let mut there = Command::new("nsenter");
        there.arg(format!("--net=/run/netns/{}", self.name())).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => there.env(name, value),
                None => there.env_remove(name),
            };
        }
        there
    }
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToSeats,
}

/// How the cable between switch and seats behaves. The default is a good one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Packets of a thousand that are lost, each way.
    pub(crate) lost_of_thousand: u64,
    /// Packets of a thousand that come twice, each way.
    pub(crate) doubled_of_thousand: u64,
    /// Bottleneck, kilobits a second, each way.
    pub(crate) kbit: Option<u64>,
    /// Nothing passes this way.
    pub(crate) cut: Option<Way>,
}

/// The laid network.
#[derive(Debug)]
pub(crate) struct Wire(());

impl Wire {
    /// Lays cables between the server's machine (this namespace), the seats' and the attacker's.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn lay() -> Result<Self> {
        run("mount -t tmpfs tmpfs /run")?;
        let wire = Self(());
        std::fs::create_dir_all("/run/netns")?;
        run(&format!("ip netns add {SWITCH}"))?;
        run(&format!("ip -n {SWITCH} link add bridge type bridge"))?;
        run(&format!("ip -n {SWITCH} link set bridge up"))?;
        run(&format!("ip link add {UPLINK} type veth peer name server netns {SWITCH}"))?;
        plug("server")?;
        bring_up("ip", &format!("{}/16", SERVER.0))?;
        for place in Place::ALL {
            let name = place.name();
            run(&format!("ip netns add {name}"))?;
            run(&format!("ip -n {name} link set lo up"))?;
            run(&format!("ip -n {name} link add {UPLINK} type veth peer name {name} netns {SWITCH}"))?;
            plug(name)?;
            bring_up(&format!("ip -n {name}"), place.address())?;
        }
        // The attacker has thousands of addresses, and a port of 100 Mbit/s.
        let attacker = Place::Attacker.name();
        run(&format!("ip -n {attacker} route add local {ATTACKER_ADDRESSES} dev lo"))?;
        run(&format!("tc -n {attacker} qdisc add dev {UPLINK} root tbf {ATTACKER_PORT}"))?;
        run(&format!("ip route add {ATTACKER_ADDRESSES} via 10.77.2.1"))?;
        wire.set(Weather::default())?;
        Ok(wire)
    }

    /// Changes how the seats' cable behaves.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn set(&self, weather: Weather) -> Result<()> {
        let rules = |way, out: &str| {
            let Weather { lost_of_thousand: lost, doubled_of_thousand: doubled, cut, .. } = weather;
            if cut == Some(way) {
                return "drop; ".to_owned();
            }
            let mut rules = String::new();
            if lost > 0 {
                rules += &format!("ip protocol udp numgen random mod 1000 < {lost} drop; ");
            }
            if doubled > 0 {
                rules += &format!("ip protocol udp numgen random mod 1000 < {doubled} dup to \"{out}\"; ");
            }
            rules
        };
        let hook = |from: &str| format!("type filter hook ingress device \"{from}\" priority 0; policy accept;");
        let (up, down) = (rules(Way::ToServer, "server"), rules(Way::ToSeats, "seats"));
        nft(
            Some(SWITCH),
            &format!(
                "table netdev weather {{}}\ndelete table netdev weather\ntable netdev weather {{\n\
             chain up {{ {} {up} }}\nchain down {{ {} {down} }}\n}}\n",
                hook("seats"),
                hook("server"),
            ),
        )?;
        for port in ["seats", "server"] {
            let queue = format!("tc -n {SWITCH} qdisc");
            match weather.kbit {
                Some(kbit) => {
                    run(&format!("{queue} replace dev {port} root tbf rate {kbit}kbit {}", BOTTLENECK.join(" ")))?;
                }
                // There may be none to take away.
                None => drop(run(&format!("{queue} del dev {port} root"))),
            }
        }
        Ok(())
    }

    /// Whatever the seats send to this port of the server goes to another one there, and comes back as if from this one: a man in the middle.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn divert(&self, from: u16, to: u16) -> Result<()> {
        self.divert_nothing()?;
        nft(
            None,
            &format!(
                "table ip diverted {{\nchain arriving {{ type nat hook prerouting priority dstnat; \
             iifname \"{UPLINK}\" udp dport {from} redirect to :{to}; }}\n}}\n"
            ),
        )
    }

    /// The seats reach the true server again.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn divert_nothing(&self) -> Result<()> {
        nft(None, "table ip diverted {}\ndelete table ip diverted\n")
    }

    /// Pulls the seats' cable, or puts it back.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn plugged(&self, whether: bool) -> Result<()> {
        run(&format!("ip -n {SWITCH} link set seats {}", if whether { "up" } else { "down" }))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // The namespaces of the rig end all of it anyway.
        for name in Place::ALL.map(Place::name).into_iter().chain([SWITCH]) {
            let _ = run(&format!("ip netns del {name}"));
        }
        let _ = run(&format!("ip link del {UPLINK}"));
        let _ = run("umount -l /run");
    }
}

fn plug(port: &str) -> Result<()> {
    run(&format!("ip -n {SWITCH} link set {port} master bridge"))?;
    run(&format!("ip -n {SWITCH} link set {port} up"))
}

/// Packets go one by one, as on a real cable: what is lost is one packet, not a bundle of them.
fn bring_up(ip: &str, address: &str) -> Result<()> {
    run(&format!("{ip} addr add {address} dev {UPLINK}"))?;
    run(&format!("{ip} link set {UPLINK} up gso_max_segs 1"))
}

/// Runs a command whose words have no spaces in them.
pub(crate) fn run(line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let ran = Command::new(words.next().context("a command")?).args(words).stdin(Stdio::null()).output();
    let ran = ran.with_context(|| line.to_owned())?;
    ensure!(ran.status.success(), "`{line}`: {}", String::from_utf8_lossy(&ran.stderr).trim());
    Ok(())
}

/// Gives a packet filter its rules: the switch's, or this machine's.
fn nft(namespace: Option<&str>, rules: &str) -> Result<()> {
    let mut nft = Command::new(if namespace.is_some() { "nsenter" } else { "nft" });
    nft.args(namespace.map(|name| format!("--net=/run/netns/{name}"))).args(namespace.map(|_| "nft"));
    let mut child = nft.args(["-f", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().context("nft")?;
    child.stdin.take().context("piped")?.write_all(rules.as_bytes())?;
    let ended = child.wait_with_output()?;
    ensure!(ended.status.success(), "nft: {}", String::from_utf8_lossy(&ended.stderr).trim());
    Ok(())
}
