import Foundation
import Shared
import Testing

struct SecretBoxTests {
    private func entry(_ id: String, _ byte: UInt8) -> String {
        id + ":" + Data(repeating: byte, count: 32).base64EncodedString()
    }

    @Test func whatWasSealedOpens() throws {
        let box = try SecretBox(masterKey: entry("k1", 1))
        let sealed = try box.seal(Array("whsec_1".utf8), context: "integration_secrets/1")
        #expect(sealed.keyID == "k1")
        #expect(sealed.bytes.count == 7 + 28)
        #expect(try box.open(sealed, context: "integration_secrets/1") == Array("whsec_1".utf8))
        #expect(
            try box.seal(Array("whsec_1".utf8), context: "integration_secrets/1") != sealed, "a fresh nonce each time")
    }

    @Test func whatWasMovedOrChangedDoesNot() throws {
        let box = try SecretBox(masterKey: entry("k1", 1))
        let sealed = try box.seal([1, 2, 3], context: "a")
        #expect(throws: SecretBox.Fault.cannotOpen) { try box.open(sealed, context: "b") }
        for index in sealed.bytes.indices {
            var bytes = sealed.bytes
            bytes[index] ^= 1
            #expect(throws: SecretBox.Fault.cannotOpen) { try box.open(bytes, keyID: "k1", context: "a") }
        }
        #expect(throws: SecretBox.Fault.cannotOpen) { try box.open([], keyID: "k1", context: "a") }
        #expect(throws: SecretBox.Fault.unknownKey) { try box.open(sealed.bytes, keyID: "k2", context: "a") }
        let other = try SecretBox(masterKey: entry("k1", 2))
        #expect(throws: SecretBox.Fault.cannotOpen) { try other.open(sealed, context: "a") }
    }

    @Test func keysAreRotated() throws {
        let old = try SecretBox(masterKey: entry("k1", 1))
        let both = try SecretBox(masterKey: entry("k2", 2) + "," + entry("k1", 1))
        let sealed = try old.seal([7], context: "a")
        #expect(try both.open(sealed, context: "a") == [7])
        #expect(try both.seal([7], context: "a").keyID == "k2")
        #expect(both.currentKeyID == "k2")
    }

    @Test func malformedKeysAreToldByPositionOnly() {
        let secretText = "c2hvcnQ="
        for text in [
            "", "k1", "k1:", "k1:\(secretText)", ":" + Data(count: 32).base64EncodedString(), "k1:!!", "k 1:AAAA",
            entry("k1", 1) + ",", entry("k1", 1) + "," + entry("k1", 2),
        ] {
            do {
                _ = try MasterKeys(text)
                Issue.record("accepted \(text)")
            } catch {
                #expect(!error.description.contains(secretText))
            }
        }
    }
}
