import Foundation
import Testing

@testable import Admin

struct RolesTests {
    /// The keys of RFC 7677 §3's exchange, from which its published proof and signature follow.
    @Test func theVerifierIsThatOfTheStandardsExample() throws {
        let salt = try #require(Data(base64Encoded: "W22ZaJ0SNY7soEsUEjb6gQ=="))
        #expect(
            ScramVerifier(password: "pencil", salt: Array(salt), iterations: 4096).text
                == "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                + "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
    }

    @Test func saltsDiffer() {
        #expect(ScramVerifier(password: "x").text != ScramVerifier(password: "x").text)
    }

    @Test(arguments: [
        ("postgresql://u:p@h:5432/d?sslmode=require", "u", "p"), ("postgres://u:p%40ss%3A@h1,h2/d", "u", "p@ss:"),
        ("postgresql://u:p@ss@h/d", "u", "p@ss"),
    ])
    func credentialsAreReadFromAURL(text: String, user: String, password: String) throws {
        let url = try DatabaseURL(text, setting: "X")
        #expect(url.user == user && url.password == password)
    }

    @Test(arguments: ["host=h user=u password=p", "postgresql://h/d", "postgresql://u@h/d", "postgresql://u:@h/d", ""])
    func aURLWithoutCredentialsIsRefusedWithoutRepeatingIt(text: String) {
        let refusal = #expect(throws: Refusal.self) { _ = try DatabaseURL(text, setting: "X") }
        #expect(refusal?.description.hasPrefix("X must look like") == true)
    }
}
