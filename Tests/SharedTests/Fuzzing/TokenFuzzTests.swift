import Foundation
import Postgres
import Support
import Testing

@testable import Shared

struct TokenFuzzTests {
    private let now = Timestamp(secondsSinceEpoch: 1_795_168_800)

    /// Whatever is done to a token, it is refused or says what was signed.
    @Test func tamperedTokensSayNothingElse() async throws {
        let key = try #require(TokenKey(id: "k1", secret: "0123456789abcdef0123456789abcdef"))
        let tokens = await AccessTokens(current: key)
        // Made once and for all, so that a failure can be seen again.
        let text =
            "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0."
            + "eyJpc3MiOiJwdWxzZWdhdGUiLCJhdWQiOiJwdWxzZWdhdGUiLCJzdWIiOiIwMTlhMDAwMC0wMDAwLTcwMDAtODAwMC"
            + "0wMDAwMDAwMDAwMDEiLCJ0ZW5hbnRfaWQiOiIwMTlhMDAwMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDIiLCJy"
            + "b2xlIjoibWFuYWdlciIsInNjb3BlcyI6WyJkZXZpY2VzOnJlYWQiXSwic2lkIjoiMDE5YTAwMDAtMDAwMC03MDAwLT"
            + "gwMDAtMDAwMDAwMDAwMDAzIiwiaWF0IjoxNzk1MTY4ODAwLCJleHAiOjE3OTUxNjk3MDAsImp0aSI6IjAxOWEwMDAw"
            + "LTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDAwNCJ9"
            + ".exl5L1VA3Nqr71o_mzlUZdflK5ns1vrWyQhj7FlyNZg"
        let issued = try await tokens.verify(text, now: now)
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
