extension RandomAccessCollection<SwiftToken> where Index == Int {
    func at(_ index: Int) -> SwiftToken? { indices.contains(index) ? self[index] : nil }

    /// Without blanks: for comparing types.
    var text: String {
        map { token in
            switch token.kind {
            case .word(let word): word
            case .symbol(let symbol): String(symbol)
            case .literal(let literal): "\"" + literal.outline + "\""
            }
        }.joined()
    }

    /// The bracket that closes the one at `index`.
    func closing(_ index: Int) -> Int {
        var depth = 0
        for place in index..<endIndex {
            if self[place].isSymbol("([{") { depth += 1 }
            if self[place].isSymbol(")]}") { depth -= 1 }
            if depth == 0 { return place }
        }
        return endIndex - 1
    }

    /// An expression: to the bracket that closes what is around it, or to a line that doesn't go on with it.
    func expression(from start: Int) -> Range<Int> {
        var place = start
        while place < endIndex {
            let token = self[place]
            if token.isSymbol(")]},;") { break }
            if place > start, token.beginsLine, !token.isSymbol(".?:+-*/&|"), !self[place - 1].isSymbol("+-*/&|=?:") {
                break
            }
            place = token.isSymbol("([{") ? closing(place) + 1 : place + 1
        }
        return start..<Swift.min(Swift.max(place, start), endIndex)
    }

    func splitByCommas() -> [[SwiftToken]] {
        var pieces: [[SwiftToken]] = [[]]
        var place = startIndex
        while place < endIndex {
            let end = self[place].isSymbol("([{") ? closing(place) + 1 : place + 1
            if self[place].isSymbol(",") { pieces.append([]) } else { pieces[pieces.count - 1] += self[place..<end] }
            place = end
        }
        return pieces.filter { !$0.isEmpty }
    }

    /// `a.b.c` from `start`; a leading dot is left out.
    func path(from start: Int) -> (words: [String], end: Int) {
        var (words, place): ([String], Int) = ([], start)
        while let word = at(place)?.word {
            words.append(word)
            guard at(place + 1)?.isSymbol(".") == true, at(place + 2)?.word != nil else { return (words, place + 1) }
            place += 2
        }
        return (words, place)
    }
}
