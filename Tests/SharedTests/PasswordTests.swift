import Foundation
import HTTPTypes
import Testing

@testable import Shared

struct PasswordTests {
    @Test func aPasswordFitsItsHashAlone() async throws {
        let hasher = PasswordHasher(threads: 2)
        let hash = try await hasher.hash("correct horse battery")
        #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(try await hasher.verify("correct horse battery", against: hash))
        #expect(try await !hasher.verify("correct horse batterz", against: hash))
        #expect(try await hasher.hash("correct horse battery") != hash, "salted")
        #expect(!PasswordHasher.needsRehash(hash, of: ""))
    }

    @Test func oneTextInTwoFormsIsOnePassword() async throws {
        let hasher = PasswordHasher(threads: 1)
        let hash = try await hasher.hash("caf\u{E9} au lait")
        #expect(try await hasher.verify("cafe\u{301} au lait", against: hash))
    }

    @Test func foreignHashesFitNothing() async throws {
        let hasher = PasswordHasher(threads: 1)
        for stored in [
            "", "x", "$2b$12$abcdefghijklmnopqrstuu5s7yPzOCv6rWJpNlbhyYwqPzXQ8o6lG", "$argon2id$v=19$broken",
        ] {
            #expect(try await !hasher.verify("correct horse battery", against: stored))
            #expect(PasswordHasher.needsRehash(stored, of: ""))
        }
        #expect(PasswordHasher.needsRehash("$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$aGFzaA", of: ""))
        try await hasher.verifyAgainstNothing("correct horse battery")
    }

    @Test func theQueueIsBounded() async throws {
        let threads = BlockingThreads(name: "test", count: 1, maxWaiting: 1)
        let (started, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let running = Task {
            try await threads.run { () -> Int in
                started.signal()
                gate.wait()
                return 1
            }
        }
        await wait(for: started)
        // The thread is busy: one may wait, the next is refused. Which of the two comes first is open.
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do {
                        return try await threads.run { true }
                    } catch {
                        gate.signal() // the refused one lets the others through
                        return false
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.sorted { !$0 && $1 } == [false, true])
        #expect(try await running.value == 1)
    }

    @Test func refusalIsAProblem() async throws {
        let hasher = PasswordHasher(threads: 1, maxWaiting: 0)
        let problem = try await #require(throws: Problem.self) { try await hasher.hash("correct horse battery") }
        #expect(problem.status == .serviceUnavailable)
        #expect(problem.headers[.retryAfter] == "1")
    }

    @Test func lengthsOfPasswords() {
        #expect(PasswordPolicy.fault(of: "elevenchars")?.code == "too_short")
        #expect(PasswordPolicy.fault(of: "twelve chars") == nil)
        #expect(PasswordPolicy.fault(of: String(repeating: "éxotic w", count: 16))?.code == "too_common")
        #expect(PasswordPolicy.fault(of: "éxotic " + String(repeating: "🙂x", count: 60) + "e") == nil)
        #expect(PasswordPolicy.fault(of: String(repeating: "x", count: 129), field: "new")?.field == "new")
    }

    private func wait(for semaphore: DispatchSemaphore) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread {
                semaphore.wait()
                continuation.resume()
            }
        }
    }

    /// Openwall's test vectors of crypt_blowfish.
    @Test(arguments: [
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
        ("U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    ])
    func bcryptHashesOfAnEarlierSystem(password: String, stored: String) async throws {
        let hasher = PasswordHasher(threads: 1)
        #expect(try await hasher.verify(password, against: stored))
        #expect(PasswordHasher.needsRehash(stored, of: password))
        #expect(!PasswordHasher.needsRehash(stored, of: String(repeating: "x", count: 73)))
        for wrong in [password + "x", "", password + "\0", password + "\0x"] {
            #expect(try await !hasher.verify(wrong, against: stored))
        }
        for damaged in [
            String(stored.dropLast()), stored.replacing("$05$", with: "$31$"), stored.replacing("$2a$", with: "$2x$"),
        ] {
            #expect(try await !hasher.verify(password, against: damaged))
        }
    }

    @Test(arguments: [
        "123456789012", "1234567890123456", "qwertyuiop123", "password1234", "Password2024!", "P@ssw0rd12345",
        "passwordpassword",
        "iloveyou1234", "adminadmin123", "aaaaaaaaaaaa", "abcabcabcabc", "111111111111", "1q2w3e4r5t6y", "1qaz2wsx3edc",
        "qwertyqwerty", "asdfghjkl123", "welcome12345", "letmein12345", "Administrator1", "contraseña2024",
        "987654321098",
        "changeme2026", "zxcvbnm12345", "trustno1trustno1", "111222333444", "superman1234", "abcdefghijkl",
    ])
    func guessersKnowThese(password: String) {
        #expect(PasswordPolicy.fault(of: password)?.code == "too_common")
    }

    @Test(arguments: [
        "correct horse battery", "twelve chars", "vX8#kq02Lm!s", "chosen by Ana alone", "847392017465",
        "the cat sat on the mat",
        "Gf7hQpL2xWz9", "mi perro se llama Bruno",
    ])
    func theseWillDo(password: String) {
        #expect(PasswordPolicy.fault(of: password) == nil)
    }
}
