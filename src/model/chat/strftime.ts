// Python's strftime for chat templates, as glibc has it, in English whatever the machine's language: prompts must not
// depend on it.
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"]
  .concat(["November", "December"]);

/** A field as its number, its usual width, and what fills it up; or as a text. */
type Field = readonly [value: number, width: number, fill: "0" | " "] | string;

const COMPOSED: Readonly<Record<string, string>> = {
  c: "%a %b %e %H:%M:%S %Y",
  D: "%m/%d/%y",
  F: "%Y-%m-%d",
  r: "%I:%M:%S %p",
  R: "%H:%M",
  T: "%H:%M:%S",
  x: "%m/%d/%y",
  X: "%H:%M:%S",
};

/**
 * Local time without a zone (`%z` and `%Z` are empty). Flags between `%` and the letter: `-` no filling, `_` blanks, `0`
 * zeros, `^` upper case. An unknown letter stays as it is.
 */
export function formatTime(date: Date, format: string): string {
  return format.replaceAll(
    /%([-_0^#]*)(\d{0,2})([A-Za-z%])/g,
    (whole, flags: string, width: string, letter: string) => {
      const field = Object.hasOwn(COMPOSED, letter) ? formatTime(date, COMPOSED[letter]) : fieldOf(date, letter);
      if (field === undefined) return whole;
      const flag = flags.match(/[-_0](?=[^-_0]*$)/)?.[0];
      const upper = (text: string) =>
        flags.includes("^") || (flags.includes("#") && letter !== "p") ? text.toUpperCase() : text;
      if (typeof field === "string") {
        const text = flags.includes("#") && letter === "p" ? field.toLowerCase() : upper(field);
        return text.padStart(Number(width), flag === "0" ? "0" : " ");
      }
      const [value, usual, fill] = field;
      if (flag === "-" && width === "") return String(value);
      return String(value).padStart(Number(width) || usual, flag === "_" ? " " : flag === "0" ? "0" : fill);
    },
  );
}

function fieldOf(date: Date, letter: string): Field | undefined {
  const year = date.getFullYear(), month = date.getMonth(), hour = date.getHours(), weekday = date.getDay();
  const yearDay = dayNumber(year, month, date.getDate()) - dayNumber(year, 0, 1);
  switch (letter) {
    case "a":
      return DAYS[weekday].slice(0, 3);
    case "A":
      return DAYS[weekday];
    case "b":
    case "h":
      return MONTHS[month].slice(0, 3);
    case "B":
      return MONTHS[month];
    case "C":
      return [Math.floor(year / 100), 2, "0"];
    case "d":
      return [date.getDate(), 2, "0"];
    case "e":
      return [date.getDate(), 2, " "];
    case "f":
      return [date.getMilliseconds() * 1000, 6, "0"];
    case "g":
      return [isoWeek(date).year % 100, 2, "0"];
    case "G":
      return [isoWeek(date).year, 4, "0"];
    case "H":
      return [hour, 2, "0"];
    case "I":
      return [hour % 12 || 12, 2, "0"];
    case "j":
      return [yearDay + 1, 3, "0"];
    case "k":
      return [hour, 2, " "];
    case "l":
      return [hour % 12 || 12, 2, " "];
    case "m":
      return [month + 1, 2, "0"];
    case "M":
      return [date.getMinutes(), 2, "0"];
    case "n":
      return "\n";
    case "p":
      return hour < 12 ? "AM" : "PM";
    case "P":
      return hour < 12 ? "am" : "pm";
    case "s":
      return [Math.floor(date.getTime() / 1000), 1, "0"];
    case "S":
      return [date.getSeconds(), 2, "0"];
    case "t":
      return "\t";
    case "u":
      return [weekday || 7, 1, "0"];
    case "U":
      return [Math.floor((yearDay + 7 - weekday) / 7), 2, "0"];
    case "V":
      return [isoWeek(date).week, 2, "0"];
    case "w":
      return [weekday, 1, "0"];
    case "W":
      return [Math.floor((yearDay + 7 - (weekday + 6) % 7) / 7), 2, "0"];
    case "y":
      return [year % 100, 2, "0"];
    case "Y":
      return [year, 4, "0"];
    case "z":
    case "Z":
      return "";
    case "%":
      return "%";
  }
}

function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month, day) / 86_400_000;
}

/** ISO 8601: a week belongs to the year of its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const today = dayNumber(date.getFullYear(), date.getMonth(), date.getDate());
  const thursday = today - (date.getDay() + 6) % 7 + 3;
  const year = new Date(thursday * 86_400_000).getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday - dayNumber(year, 0, 1)) / 7) };
}
