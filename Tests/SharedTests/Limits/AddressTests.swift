import HTTPTypes
import NIOCore
import Testing

@testable import Shared

@Suite struct AddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"), ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1"), ("::", "::"),
    ])
    func addressesAreWrittenAsTheyShouldBe(text: String, canonical: String) throws {
        #expect(IPAddress(text)?.description == canonical)
        let socket = try SocketAddress(ipAddress: String(text.prefix { $0 != "%" }), port: 1)
        #expect(IPAddress(socket) == IPAddress(text))
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.256", "example.com", "1.2.3.4:80", "[::1]", "1.2.3.4 "])
    func othersAreNone(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func oneSubscriberHasANetworkOfIPv6() {
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.subscriber == IPAddress("2001:db8:1:2::"))
        #expect(IPAddress("192.0.2.1")?.subscriber == IPAddress("192.0.2.1"))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false), ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "8.8.8.8", false), ("::/0", "2001:db8::", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("::1/128", "::1", true), ("2001:db8::/64", "2001:db8:0:1::", false),
    ])
    func networksHoldWhatBeginsAlike(network: String, address: String, holds: Bool) throws {
        let (network, address) = (try #require(IPNetwork(network)), try #require(IPAddress(address)))
        #expect(network.contains(address) == holds)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "::/129", "/8", "net/8", "10.0.0.0/8/8"])
    func otherNetworksAreNone(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    private func client(_ peer: String, _ forwarded: [String], _ networks: [String]) -> String? {
        var headers = HTTPFields()
        for value in forwarded { headers.append(HTTPField(name: .forwardedFor, value: value)) }
        return TrustedProxies(networks.compactMap { IPNetwork($0) }).client(IPAddress(peer), headers)?.description
    }

    @Test func aStrangersWordIsNotBelieved() {
        #expect(client("203.0.113.9", ["192.0.2.1"], []) == "203.0.113.9")
        #expect(client("203.0.113.9", ["192.0.2.1"], ["10.0.0.0/8"]) == "203.0.113.9")
    }

    @Test func proxiesAreBelievedFromTheNearestOn() {
        let own = ["10.0.0.0/8"]
        #expect(client("10.0.0.1", ["192.0.2.1"], own) == "192.0.2.1")
        #expect(client("10.0.0.1", ["1.1.1.1, 192.0.2.1"], own) == "192.0.2.1", "what the client claimed itself")
        #expect(client("10.0.0.1", ["1.1.1.1", "192.0.2.1, 10.0.0.2"], own) == "192.0.2.1")
        #expect(client("10.0.0.1", ["192.0.2.1:4711"], own) == "192.0.2.1")
        #expect(client("10.0.0.1", ["[2001:db8::1]:4711"], own) == "2001:db8::1")
        #expect(client("10.0.0.1", [], own) == "10.0.0.1")
        #expect(client("10.0.0.1", ["192.0.2.1, unknown"], own) == "10.0.0.1", "an unreadable hop ends it")
        #expect(client("10.0.0.1", ["10.0.0.2"], own) == "10.0.0.2")
    }
}
