/// Passwords that guessers try first: made of nothing but the commonest words, runs of digits and of the keyboard, in whatever order and
/// with the usual letters replaced. At twelve characters and more, those on published lists of the commonest are of this kind.
enum CommonPasswords {
    /// Digits that any may stand beside a word without making it a good one, such as a year.
    private static let idleDigits = 4

    static func contain(_ password: String) -> Bool {
        let typed = Array(password.lowercased())
        // What stands after the last letter is a number, and no letter replaced.
        let end = (typed.lastIndex(where: \.isLetter) ?? -1) + 1
        let read = typed.prefix(end).map { meant[$0] ?? $0 } + typed.suffix(from: end)
        return isCommon(typed) || isCommon(read)
    }

    private static func isCommon(_ password: [Character]) -> Bool {
        if isRepeated(password) || isRun(password) { return true }
        let parts = password.chunked { $0.isLetter == $1.isLetter }
        return parts.allSatisfy { part in
            guard part.first?.isLetter == true else {
                return part.filter(\.isNumber).count <= idleDigits || isRepeated(part) || isRun(part)
            }
            return isMadeOfWords(part) || isRun(part) || isRepeated(part)
        }
    }

    /// `abcabcabcabc`: one part of up to a third of the whole, again and again, or a common half twice.
    private static func isRepeated(_ text: [Character]) -> Bool {
        guard text.count >= 3 else { return false }
        return (1...max(1, text.count / 3)).contains { length in
            text.indices.dropFirst(length).allSatisfy { text[$0] == text[$0 - length] }
        }
    }

    /// `456789012345`, `qwertyuiop`, `111222333`, backwards too: pieces of at least three that follow each other on the keyboard, or are
    /// the same.
    private static func isRun(_ text: [Character]) -> Bool {
        var rest = text[...]
        while !rest.isEmpty {
            let onRows = rows.map { row in
                (0..<row.count).map { start in zip(rest, row[start...]).prefix { $0 == $1 }.count }.max() ?? 0
            }
            let longest = max(onRows.max() ?? 0, rest.prefix { $0 == rest.first }.count)
            guard longest >= 3 else { return false }
            rest = rest.dropFirst(longest)
        }
        return true
    }

    private static func isMadeOfWords(_ text: [Character]) -> Bool {
        var reachable: Set = [0]
        for start in text.indices where reachable.contains(start) {
            for end in start + 1...text.count where words.contains(String(text[start..<end])) { reachable.insert(end) }
        }
        return reachable.contains(text.count)
    }

    /// Twice over, so that a run may go on past the row's end.
    private static let rows: [[Character]] = [
        "1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz", "qwertzuiop", "azertyuiop",
        "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm", "147258369", "789456123",
    ].flatMap { row in [Array(row + row), Array(String((row + row).reversed()))] }

    private static let meant: [Character: Character] = [
        "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l", "8": "b",
    ]

    private static let words: Set<String> = Set(
        """
        password passwort passw passwd pass word contrasena contraseña clave motdepasse parola senha secret secreto admin administrator
        administrador root user usuario login welcome bienvenido willkommen hello hola hallo changeme change me letmein letme in default
        temporal temp test testing tester guest invitado master maestro qwerty asdf zxcv iloveyou love you amor tequiero teamo te amo quiero
        my mi princess princesa sunshine monkey dragon football futbol baseball basketball soccer hockey superman batman spiderman pokemon
        starwars star wars shadow michael jordan jennifer jessica ashley daniel david andrea carlos maria jose juan antonio alejandro
        ana pedro manuel charlie thomas hunter killer trustno trust no one flower forever happy family familia friends friend lucky
        summer winter spring autumn verano invierno primavera monday friday january february march april june july august september
        october november december computer internet google facebook instagram samsung windows microsoft apple android whatever freedom
        liberty jesus christ god dios baby angel angels cookie chocolate cheese banana orange purple yellow silver golden black white red
        blue green money dollar ninja mustang ferrari porsche mercedes yankees cowboys liverpool arsenal chelsea barcelona barca real
        madrid espana españa mexico argentina colombia company empresa office oficina store tienda shop warehouse almacen manager gerente
        gateway pulsegate server database system sistema network access control home house casa fuck fuckyou off shit pussy sexy hot cool
        ginger pepper buster tigger maggie bailey harley ranger thunder phoenix matrix merlin zaq abc abcd the and for your is i a
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}

extension Array {
    /// Neighbours that belong together.
    fileprivate func chunked(_ belong: (Element, Element) -> Bool) -> [[Element]] {
        reduce(into: []) { chunks, element in
            if let last = chunks.last?.last, belong(last, element) {
                chunks[chunks.count - 1].append(element)
            } else {
                chunks.append([element])
            }
        }
    }
}
