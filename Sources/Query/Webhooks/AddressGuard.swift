import Shared

/// Which addresses we connect to for others. Whoever may say where webhooks go must not reach through us what only we can reach: this
/// machine, its network, its cloud's metadata service.
struct AddressGuard: Sendable {
    /// What is not the internet's in IPv4 (RFC 6890 and its registry), and the anycast relays of 6to4.
    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ].compactMap { IPNetwork($0) }

    /// Of IPv6 this alone is the internet's; outside of it are loopback, mapped and compatible IPv4, NAT64, unique local, link- and
    /// site-local, multicast.
    private static let global = ["2000::/3"].compactMap { IPNetwork($0) }

    /// Within that: protocols' own, Teredo, ORCHID and benchmarks among them; documentation; 6to4, which wraps any IPv4.
    private static let specialWithin = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].compactMap {
        IPNetwork($0)
    }

    /// Networks of ours that may be reached though they are private.
    var exceptions: [IPNetwork] = []

    /// - Parameter text: an address as `inet_ntop` writes it.
    func permits(_ text: String) -> Bool {
        // IPv4 in the clothes of IPv6 is for no honest URL.
        guard let address = IPAddress(text), address.isIPv4 == !text.contains(":") else { return false }
        if exceptions.contains(where: { $0.contains(address) }) { return true }
        let holds = { (networks: [IPNetwork]) in networks.contains { $0.contains(address) } }
        return address.isIPv4 ? !holds(Self.special) : holds(Self.global) && !holds(Self.specialWithin)
    }
}
