import Foundation
import Support
import Testing

@testable import Ingest

struct Base64Tests {
    @Test func agreesWithFoundation() {
        var random = SplitMix(state: 64)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            let text = Data(bytes).base64EncodedString()
            #expect(Base64.decode(text.utf8) == bytes)
            #expect(Base64.decode(text.replacingOccurrences(of: "=", with: "").utf8) == bytes)
        }
    }

    @Test(arguments: [
        "A", "AAAAA", "=", "==", "A===", "AA=", "AAA==", "AA=A", "A=AA", "AA A", "AA-_", "AAAA====", "AA\n=",
    ])
    func refuses(_ text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }
}
