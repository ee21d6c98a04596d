import Foundation
import Testing

@testable import Ingest

struct StaticCredentialTests {
    @Test func aHeaderOfTheTenantsChoice() {
        func verify(_ values: [String], name: String = "X-Api-Token") -> RefusalReason? {
            IngestTests.verify(.header(name: name), "{}", [name.lowercased(): values], secrets: ["s3cret", "older"])
                .refusal
        }
        #expect(verify(["s3cret"]) == nil)
        #expect(verify(["older"]) == nil)
        #expect(verify([]) == .signatureMissing)
        for value in ["", "s3cre", "s3cret ", "S3cret", "s3crett", "Bearer s3cret"] {
            #expect(verify([value]) == .signatureMismatch)
        }
        #expect(verify(["Bearer s3cret"], name: "Authorization") == nil)
        #expect(verify(["bearer s3cret"], name: "authorization") == nil)
        #expect(verify(["s3cret"], name: "Authorization") == nil)
        #expect(verify(["Bearer"], name: "Authorization") == .signatureMismatch)
        #expect(IngestTests.verify(.header(name: "x"), "{}", ["x": [""]], secrets: [""]).refusal == .noActiveSecret)
    }

    @Test func basicCredentials() {
        func verify(_ value: String?) -> RefusalReason? {
            let headers = value.map { ["authorization": [$0]] } ?? [:]
            return IngestTests.verify(.basic(username: "tts"), "{}", headers, secrets: ["pa:ss", "older"]).refusal
        }
        func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        #expect(verify("Basic " + encoded("tts:pa:ss")) == nil)
        #expect(verify("basic " + encoded("tts:older")) == nil)
        for pair in ["tts:pa", "tts:", ":pa:ss", "TTS:older", "tts:older ", "ttsx:older"] {
            #expect(verify("Basic " + encoded(pair)) == .signatureMismatch)
        }
        for value in [
            "Basic", "Basic ", "Basic ***", "Basic " + encoded("nocolon"), "Bearer " + encoded("tts:older"), "",
        ] {
            #expect(verify(value) == .signatureMalformed)
        }
        #expect(verify(nil) == .signatureMissing)
    }

    @Test func authenticationAsStored() {
        #expect(WebhookAuthentication(auth: "hmac", headerName: nil, username: nil) == .hmac)
        #expect(WebhookAuthentication(auth: "standard-webhooks", headerName: nil, username: nil) == .standardWebhooks)
        #expect(WebhookAuthentication(auth: "header", headerName: "X-Y", username: nil) == .header(name: "X-Y"))
        #expect(WebhookAuthentication(auth: "header", headerName: nil, username: nil) == nil)
        #expect(WebhookAuthentication(auth: "basic", headerName: nil, username: "u") == .basic(username: "u"))
        #expect(WebhookAuthentication(auth: "basic", headerName: nil, username: nil) == nil)
        #expect(WebhookAuthentication(auth: "none", headerName: nil, username: nil) == nil)
    }

    @Test func secretsDoNotShowThemselves() throws {
        let secret = try #require(SecretMaterial(shown: "hidden-secret", for: .hmac))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!"\(secret) \(String(reflecting: secret)) \(dumped)".contains("hidden"))
        #expect(!dumped.contains("104"))
    }
}
