import Shared

/// The demo company: thirty stores, a car park, a warehouse and an office, and the sensors in them.
enum DemoPlaces {
    struct Site: Sendable {
        let code: String
        let name: String
        let kind: String
    }

    struct Space: Sendable {
        let site: String
        let code: String
        let name: String
        let kind: String
        var isBookable = false
        let profile: String
    }

    static let tenant = "demo"
    static let email = "owner@demo.example"
    static let timezone = "Europe/Madrid"
    static let storeCount = 30
    static let bayProfile = "Parking bay"
    static let climateProfile = "Room climate"
    static let meetingProfile = "Meeting room"
    static let fittingProfile = "Fitting room"

    static let sites = [
        Site(code: "P01", name: "Car park North", kind: "parking"),
        Site(code: "W01", name: "Central warehouse", kind: "warehouse"),
        Site(code: "O01", name: "Head office", kind: "office"),
    ]

    static let officeHours = """
        {"mon":[["08:00","20:00"]],"tue":[["08:00","20:00"]],"wed":[["08:00","20:00"]],"thu":[["08:00","20:00"]],\
        "fri":[["08:00","20:00"]]}
        """

    /// Each has one sensor.
    static let spaces: [Space] = bays + halls + rooms + storeRooms + fittingRooms

    private static let bays = (1...40).map { number in
        Space(
            site: "P01", code: "B" + twoDigits(number), name: "Bay \(number)", kind: "bay", isBookable: true,
            profile: bayProfile)
    }

    private static let halls = (1...10).map { number in
        Space(
            site: "W01", code: "H" + twoDigits(number), name: "Aisle \(number)", kind: "zone", profile: climateProfile)
    }

    private static let rooms = (1...8).map { number in
        Space(
            site: "O01", code: "R" + twoDigits(number), name: "Meeting room \(number)", kind: "room", isBookable: true,
            profile: meetingProfile)
    }

    private static let storeRooms = Onboarding.codes(storeCount).flatMap { store in
        [
            ("SALES", "Sales floor"), ("STOCK", "Stock room"), ("COLD", "Cold room"), ("ENTRY", "Entrance"),
            ("STAFF", "Staff room"),
        ].map { code, name in
            Space(site: store.rawValue, code: code, name: name, kind: "zone", profile: climateProfile)
        }
    }

    /// Of the first store. They come last: the sensors of the spaces before them keep their EUIs.
    private static let fittingRooms = (1...6).map { number in
        Space(
            site: "T01", code: "FIT" + twoDigits(number), name: "Fitting room \(number)", kind: "room",
            isBookable: true,
            profile: fittingProfile)
    }

    /// The EUI of the sensor in `spaces[position]`.
    static func deviceEUI(_ position: Int) -> DeviceEUI {
        DeviceEUI(bits: 0x70b3_d57e_d000_0001 + UInt64(position))
    }

    /// A sensor that nobody registered.
    static func strangerEUI(_ number: Int) -> DeviceEUI {
        DeviceEUI(bits: 0x70b3_d57e_d0ff_0001 + UInt64(number))
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : String(number)
    }
}
