import Foundation
import Postgres
import Shared
import Testing

@testable import Query

@Suite struct NotificationTests {
    @Test func eachGoesByItsChannel() async throws {
        try await OutboxBed.run { bed in
            let (mail, whatsApp) = (CaughtLetters(), CaughtLetters())
            let id = try await bed.notification(of: bed.north, .email, to: "ana@example.com")
            try await bed.notification(of: bed.south, .whatsapp, to: "+34 600 000 000")
            let outbox = bed.outbox(notifiers: [.email: mail, .whatsapp: whatsApp])
            try await outbox.deliverDue(at: .now().adding(seconds: 1))
            await outbox.settled()
            let letter = try #require(mail.letters.first)
            #expect(letter.id == id && letter.recipient == "ana@example.com" && letter.subject == "Low stock")
            #expect(whatsApp.letters.map(\.recipient) == ["+34 600 000 000"] && mail.letters.count == 1)
            #expect(try await bed.notifications() == ["email delivered 1", "whatsapp delivered 1"])
            let counted = #"pulsegate_notifications_total{channel="whatsapp",outcome="delivered"} 1"#
            #expect(bed.metrics.exposition().contains(counted))
        }
    }

    @Test func failuresAreTriedAgainUnlessTheyAreForGood() async throws {
        try await OutboxBed.run { bed in
            let mail = CaughtLetters(failing: [
                NotTakenNow(reason: "status 500"), NotTakenNow(reason: "status 429", retryAfter: .seconds(300)),
                NeverTaken(reason: "status 422"),
            ])
            try await bed.notification(of: bed.north, .email, to: "ana@example.com")
            let (outbox, start) = (bed.outbox(notifiers: [.email: mail]), Timestamp.now().adding(seconds: 1))
            for (late, outcome) in [
                (0, "email pending 1 status 500"), (10, "email pending 2 status 429"),
                (300, "email pending 2 status 429"), (320, "email dead 3 status 422"),
            ] {
                try await outbox.deliverDue(of: bed.north, at: start.adding(seconds: late))
                #expect(try await bed.notifications() == [outcome], "after \(late) s")
            }
            #expect(mail.letters.isEmpty)
        }
    }

    @Test func aChannelThatIsNotSetUpIsWaitedFor() async throws {
        try await OutboxBed.run { bed in
            try await bed.notification(of: bed.north, .email, to: "ana@example.com")
            try await bed.notification(of: bed.north, .whatsapp, to: "34600000000")
            let (outbox, start) = (bed.outbox(), Timestamp.now().adding(seconds: 1))
            try await outbox.deliverDue(of: bed.north, at: start)
            #expect(
                try await bed.notifications() == [
                    "email pending 1 no e-mail is set up", "whatsapp pending 1 no WhatsApp is set up",
                ])
            for day in 1...2 { try await outbox.deliverDue(of: bed.north, at: start.adding(seconds: day * 86_300)) }
            #expect(try await bed.notifications().allSatisfy { $0.contains("pending") })
            try await outbox.deliverDue(of: bed.north, at: start.adding(seconds: 4 * 86_400))
            #expect(try await bed.notifications().allSatisfy { $0.contains("dead") })
        }
    }
}
