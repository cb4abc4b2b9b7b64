// Text from elsewhere, such as names of files: on a terminal its control characters are seen and not obeyed.

/** Each control character as its picture (␛ for escape), but for those in `kept`. */
export function visible(text: string, kept = ""): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0);
    if (kept.includes(character)) return character;
    return code < 32 ? String.fromCharCode(0x2400 + code) : "\u2421";
  });
}
