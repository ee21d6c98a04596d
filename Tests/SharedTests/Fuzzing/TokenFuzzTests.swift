import Foundation
import Postgres
import Support
import Testing

@testable import Shared

struct TokenFuzzTests {
    private let now = Timestamp(secondsSinceEpoch: 1_795_168_800)

    /// Whatever is done to a token, it is refused or says what was signed.
    @Test func tamperedTokensSayNothingElse() async throws {
        let key = try #require(TokenKey(secret: "0123456789abcdef0123456789abcdef"))
        let tokens = await AccessTokens(current: key)
        let (text, issued) = try await tokens.issue(
            userID: UUID(), tenantID: UUID(), role: "manager", scopes: [.devicesRead], sessionID: UUID(), now: now)
        let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + text.split(separator: ".")[1] + "."
        let pieces = [".", "..", "=", "eyJ", "bm9uZQ", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0"]
        var fuzzer = Fuzzer("access token", corpus: [text, unsigned], mutations: .text(pieces), iterations: 800)
        while let bytes = fuzzer.next() {
            let token = try? await tokens.verify(String(decoding: bytes, as: UTF8.self), now: now)
            if let token, token != issued { throw fuzzer.failure(Violation("\(token) was never issued")) }
            fuzzer.note(accepted: token != nil)
        }
        #expect(fuzzer.hasReached(1))
    }
}
