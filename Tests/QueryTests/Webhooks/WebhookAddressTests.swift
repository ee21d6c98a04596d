import Foundation
import Shared
import Testing

@testable import Query

struct WebhookAddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1",
        "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "nonsense", "",
    ])
    func whatIsNotTheInternetIsRefused(_ address: String) {
        #expect(!AddressGuard().permits(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "198.20.0.1",
        "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888",
    ])
    func theInternetIsNot(_ address: String) {
        #expect(AddressGuard().permits(address))
    }

    @Test func exceptionsAreOfTheirNetworkAlone() {
        let rules = AddressGuard(exceptions: ["10.1.0.0/16", "fd00::/8"].compactMap { IPNetwork($0) })
        #expect(rules.permits("10.1.2.3") && rules.permits("fd00::5"))
        #expect(!rules.permits("10.2.0.1") && !rules.permits("::ffff:10.1.2.3") && !rules.permits("127.0.0.1"))
    }

    /// Whatever the C library makes of a host is what counts.
    @Test(arguments: [
        "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1",
        "::ffff:127.0.0.1",
        "0", "169.254.169.254",
    ])
    func oddWaysToWriteAnAddressAreOfNoUse(_ host: String) async {
        let lookup = AddressLookup(AddressGuard())
        await #expect(throws: AddressLookup.Fault.refused) {
            try await lookup.addresses(of: host, within: .seconds(10))
        }
    }

    @Test func oneBadAddressOfANameIsEnough() async throws {
        let names = ["good": ["1.1.1.1", "2606:4700::1111"], "mixed": ["1.1.1.1", "10.0.0.1"]]
        let lookup = AddressLookup(AddressGuard()) { names[$0] ?? [] }
        #expect(try await lookup.addresses(of: "good", within: .seconds(10)) == names["good"])
        await #expect(throws: AddressLookup.Fault.refused) {
            try await lookup.addresses(of: "mixed", within: .seconds(10))
        }
        await #expect(throws: AddressLookup.Fault.unresolved) {
            try await lookup.addresses(of: "unknown", within: .seconds(10))
        }
    }

    @Test func aNameServerThatIsSilentIsNotWaitedFor() async {
        let silence = DispatchSemaphore(value: 0)
        defer { silence.signal() }
        let lookup = AddressLookup(AddressGuard()) { _ in
            silence.wait()
            return ["1.1.1.1"]
        }
        await #expect(throws: AddressLookup.Fault.unresolved) {
            try await lookup.addresses(of: "slow", within: .milliseconds(1))
        }
    }

    @Test(arguments: [
        "https://hooks.example.com/a?b=c", "http://example.com:8080", "https://[2606:4700::1111]/x", "https://1.1.1.1/",
        "HTTPS://EXAMPLE.com",
    ])
    func ordinaryURLsAreTaken(_ text: String) throws {
        #expect(try WebhookURL(text).text == text)
    }

    @Test(arguments: [
        ("ftp://example.com", "invalid_url"), ("example.com", "invalid_url"), ("https://", "invalid_url"),
        ("https:///path", "invalid_url"), ("https://example.com/#part", "invalid_url"),
        ("https://exa mple.com", "invalid_url"),
        ("https://example.com:0/", "invalid_url"), ("https://example.com:99999/", "invalid_url"),
        ("https://example.com\\@127.0.0.1/", "invalid_url"), ("https://[fe80::1%25eth0]/", "invalid_url"),
        ("https://ana:secret@example.com", "credentials_in_url"), ("https://@example.com", "credentials_in_url"),
        ("https://ana@example.com", "credentials_in_url"), ("https://ex\nample.com", "invalid_url"),
        ("http+unix://%2Ftmp%2Fs/x", "invalid_url"), ("https://exámple.com", "invalid_url"),
        ("https://example.com/" + String(repeating: "x", count: 2_000), "invalid_url"),
    ])
    func othersAreNot(_ text: String, _ code: String) {
        let fault = #expect(throws: WebhookURL.Fault.self) { try WebhookURL(text) }
        #expect(fault?.code == code, "\(text)")
    }
}
