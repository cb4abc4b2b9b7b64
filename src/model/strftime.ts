// Python's strftime for chat templates, in English whatever the machine's language: prompts must not depend on it.
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** Local time. `%-d` and the like leave out leading zeros; an unknown code stays as it is. */
export function formatTime(date: Date, format: string): string {
  const pad = (value: number, width: number) => String(value).padStart(width, "0");
  const dayOfYear = () => {
    const day = (year: number, month: number, date: number) => Date.UTC(year, month, date) / 86_400_000;
    return day(date.getFullYear(), date.getMonth(), date.getDate()) - day(date.getFullYear(), 0, 0);
  };
  const field = (code: string): string | undefined => {
    switch (code) {
      case "Y":
        return pad(date.getFullYear(), 4);
      case "y":
        return pad(date.getFullYear() % 100, 2);
      case "m":
        return pad(date.getMonth() + 1, 2);
      case "d":
        return pad(date.getDate(), 2);
      case "j":
        return pad(dayOfYear(), 3);
      case "H":
        return pad(date.getHours(), 2);
      case "I":
        return pad(date.getHours() % 12 || 12, 2);
      case "M":
        return pad(date.getMinutes(), 2);
      case "S":
        return pad(date.getSeconds(), 2);
      case "p":
        return date.getHours() < 12 ? "AM" : "PM";
      case "A":
        return DAYS[date.getDay()];
      case "a":
        return DAYS[date.getDay()].slice(0, 3);
      case "B":
        return MONTHS[date.getMonth()];
      case "b":
        return MONTHS[date.getMonth()].slice(0, 3);
      case "%":
        return "%";
    }
  };
  return format.replaceAll(/%(-?)([A-Za-z%])/g, (whole, bare: string, code: string) => {
    const value = field(code);
    if (value === undefined) return whole;
    return bare ? value.replace(/^0+(?=\d)/, "") : value;
  });
}
