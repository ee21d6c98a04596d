import AsyncHTTPClient
import Foundation
import HTTPTypes
import Shared
import Support
import Testing

@testable import Query

@Suite struct MailTests {
    private let letter = Letter(to: "ana@example.com", subject: "Hello", text: "Line one\nLíne two")

    @Test func resendGetsWhatItsDocumentationAsksFor() async throws {
        try await MailCatcher.run { catcher, notifier in
            try await notifier.send(letter)
            let caught = try await catcher.next()
            #expect(caught.authorization == "Bearer re_test" && caught.contentType == "application/json")
            #expect(caught.idempotencyKey == letter.id.lowercaseString)
            #expect(caught.from == "Pulsegate <p@example.com>" && caught.to == ["ana@example.com"])
            #expect(caught.subject == "Hello" && caught.text == letter.text)
        }
    }

    @Test func refusalsForGoodAreToldFromOthers() async throws {
        try await MailCatcher.run(refusals: [.tooManyRequests, .internalServerError, .unprocessableContent]) {
            _, notifier in
            await #expect(throws: NotTakenNow.self) { try await notifier.send(letter) }
            await #expect(throws: NotTakenNow.self) { try await notifier.send(letter) }
            await #expect(throws: NeverTaken.self) { try await notifier.send(letter) }
        }
        let nowhere = ResendNotifier(client: .shared, baseURL: "http://127.0.0.1:1", apiKey: "", sender: "")
        await #expect(throws: NotTakenNow.self) { try await nowhere.send(letter) }
    }

    @Test func theServiceIsAskedAgain() async throws {
        try await MailCatcher.run(refusals: [.serviceUnavailable, .tooManyRequests]) { catcher, notifier in
            let metrics = MetricRegistry()
            let postman = Postman(notifier, pauses: [.zero, .zero], metrics: metrics, logger: .silent)
            try await withThrowingTaskGroup { group in
                group.addTask { try await postman.run() }
                try postman.take { letter }
                #expect(try await catcher.next().idempotencyKey == letter.id.lowercaseString)
                group.cancelAll()
            }
        }
    }

    @Test func whatIsNeverTakenIsCounted() async throws {
        try await MailCatcher.run(refusals: [.unprocessableContent, .serviceUnavailable, .serviceUnavailable]) {
            catcher, notifier in
            let metrics = MetricRegistry()
            let postman = Postman(notifier, pauses: [.zero], metrics: metrics, logger: .silent)
            try await withThrowingTaskGroup { group in
                group.addTask { try await postman.run() }
                for _ in 0..<2 { try postman.take { letter } }
                // One of the two is refused for good; the other twice for now, which is all it is tried.
                while !metrics.exposition().contains("pulsegate_letters_total{outcome=\"lost\"} 2") {
                    await Task.yield()
                }
                try postman.take { letter }
                #expect(try await catcher.next().subject == "Hello")
                group.cancelAll()
            }
        }
    }

    @Test func aFolderHoldsALetterInAFileEach() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mail-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await MailFolder(path: folder.path).send(letter)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files == ["\(letter.id.lowercaseString).txt"])
        let text = try String(contentsOf: folder.appending(path: files[0]), encoding: .utf8)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.appending(path: files[0]).path)[
            .posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(text == "To: ana@example.com\nSubject: Hello\n\nLine one\nLíne two")
    }

    @Test func moreThanMayWaitIsRefused() throws {
        let postman = Postman(nil, metrics: MetricRegistry(), logger: .silent)
        for _ in 0..<Postman.capacity { try postman.take { nil } }
        #expect(throws: Problem.self) { try postman.take { nil } }
    }
}
