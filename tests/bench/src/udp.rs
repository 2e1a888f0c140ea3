//! Datagrams the system had no room for. Linux only: elsewhere nobody is told.

use anyhow::{Context, Result};
use std::fs;

/// Datagrams dropped at the socket of this address since it was opened.
pub(crate) fn drops(address: &str) -> Result<f64> {
    let port: u16 =
        address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).context("an address has a port")?;
    let tables = ["/proc/net/udp", "/proc/net/udp6"].map(fs::read_to_string);
    let text = tables.into_iter().flatten().collect::<Vec<_>>().concat();
    dropped(&text, port).with_context(|| format!("no UDP socket at port {port}"))
}

fn dropped(table: &str, port: u16) -> Option<f64> {
    let end = format!(":{port:04X}");
    let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = lines.filter(|fields| fields.get(1).is_some_and(|local| local.ends_with(&end)));
    ours.filter_map(|fields| fields.last()?.parse::<f64>().ok()).reduce(|sum, more| sum + more)
}

/// Datagrams for which any receive buffer of this machine was too small since it started, whoever it was.
pub(crate) fn machine_errors() -> Option<f64> {
    overflows(&fs::read_to_string("/proc/net/snmp").ok()?)
}

fn overflows(table: &str) -> Option<f64> {
    let mut lines = table.lines().filter(|line| line.starts_with("Udp: "));
    let place = lines.next()?.split_whitespace().position(|name| name == "RcvbufErrors")?;
    lines.next()?.split_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_those_of_our_port_and_no_other() {
        let table = "  sl  local_address rem_address   st … drops\n\
             7: 0100007F:12EB 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 1 2 0 3\n\
             8: 0100007F:12EC 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 1 2 0 9\n";
        assert_eq!(dropped(table, 0x12eb), Some(3.0));
        assert_eq!(dropped(table, 1), None, "no socket is not no drops");
    }

    #[test]
    fn overflows_are_found_by_name() {
        let table = "Tcp: A\nTcp: 1\nUdp: InDatagrams RcvbufErrors SndbufErrors\nUdp: 5 7 9\nUdpLite: X\nUdpLite: 1\n";
        assert_eq!(overflows(table), Some(7.0));
    }
}
