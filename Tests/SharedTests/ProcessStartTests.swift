import Foundation
import Testing

@testable import Shared

/// What a process is given at its start, by the protocols of systemd.
struct ProcessStartTests {
    private static func chosen(_ environment: [String: String]) -> Int32? {
        HandedOverSocket.descriptors(in: environment, processID: 7)?.chosen
    }

    @Test func theFirstSocketIsThePublicOne() {
        #expect(Self.chosen(["LISTEN_PID": "7", "LISTEN_FDS": "1"]) == 3)
        #expect(Self.chosen(["LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"]) == 3)
    }

    @Test func unlessAnotherOneSaysSo() {
        #expect(Self.chosen(["LISTEN_PID": "7", "LISTEN_FDS": "3", "LISTEN_FDNAMES": "a::public"]) == 5)
        #expect(Self.chosen(["LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:public"]) == 3)
    }

    @Test(arguments: [
        [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "8", "LISTEN_FDS": "1"], ["LISTEN_PID": "7", "LISTEN_FDS": "0"],
        ["LISTEN_PID": "7", "LISTEN_FDS": "-1"], ["LISTEN_PID": "7", "LISTEN_FDS": "x"],
    ]) func whatIsMeantForOthersIsLeftAlone(_ environment: [String: String]) {
        #expect(Self.chosen(environment) == nil)
    }

    @Test(arguments: [[:], ["NOTIFY_SOCKET": ""], ["NOTIFY_SOCKET": "vsock:2:9"]])
    func nobodyIsToldWithoutAnAddress(_ environment: [String: String]) {
        #expect(ServiceManager(environment: environment) == nil)
    }

    @Test func anAddressThatIsTooLongIsNone() {
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 107)]) == nil)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 106)]) != nil)
    }

    @Test func theWatchdogOfAnotherProcessIsNotOurs() {
        let environment = ["NOTIFY_SOCKET": "@a", "WATCHDOG_USEC": "3000000"]
        let interval = ServiceManager(environment: environment)?.watchdogInterval
        #expect(interval == .seconds(3))
        let others = ServiceManager(environment: environment.merging(["WATCHDOG_PID": "1"]) { _, new in new })
        #expect(others != nil && others?.watchdogInterval == nil)
    }

    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
    ]) func datesAreThoseOfHTTP(_ seconds: Int, _ text: String) {
        #expect(HTTPDate.text(secondsSinceEpoch: seconds) == text)
    }
}
