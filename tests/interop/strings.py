"""200 strings that tokenizers stumble over, the same ones every time."""

import random

FIXED = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n ", "\t", "\r\n", "\r", "a", " a", "a ", "  a", "a  b", "a\nb",
    "Hello, world!", "ROMEO:\nBut, soft!", "I'll we've they're it's CAN'T 'tis 'Twas o'er", "don't", "DON'T",
    "'s 'S 't 'RE", "''s", "1", "12", "123", "1234", "12345678901", "3.14159", "1,000,000", "0x1F", "a1b2",
    "x=y+z;", "if (a[i] != b[j]) { return -1; }", "__init__", "--flag=value", "C:\\path\\file", "https://a.b/c?d=e&f#g",
    "...", "!!!", "?!?!", "(((", ")))", "\"quoted\"", "<html>&amp;</html>", "$100 or 50%", "#tag @user", "a_b-c.d",
    "äöüß ÄÖÜ", "naïve café", "e\u0301 e\u0300", "Ǆǅǆ", "ﬁ ﬂ", "Ωμέγα", "Привет, мир", "שלום", "مرحبا", "नमस्ते", "สวัสดี",
    "你好，世界", "こんにちは", "안녕하세요", "漢字かなカナ", "𝕳𝖊𝖑𝖑𝖔", "😀", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "a😀b", "\u200b", "a\u00a0b",
    "\u2028", "\u3000x", "\ufeffbom", "\u0000", "a\u0000b", "\u007f", "\u0085x", "½ ² Ⅳ ٣ ൬", "１２３", "𝟘𝟙𝟚𝟛",
    "The quick brown fox jumps over the lazy dog.", "THE QUICK BROWN FOX", "tHe QuIcK", "x" * 300, " " * 100,
    "\n" * 50, "ab" * 200, "1" * 100, "!" * 64, "  leading", "trailing  ", "tab\tin\tside", "mixed \t\n\r spaces",
    "<|bos|>", "<|eos|> after", "before <|pad|> after", "<|bos|", "|bos|>", "<|BOS|>", " <|eos|> ", "<|eos|><|eos|>",
]  # fmt: skip

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz ",
    "ABCxyz '’s\n ",
    "0123456789.,-+ ",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \n",
    "aé漢😀ب \t\u00a0\u0301",
]


def varied_strings(text: str, count: int = 200) -> list[str]:
    """The fixed ones, then random draws from alphabets, and cuts out of `text`."""
    draw = random.Random(20261125)
    strings = list(FIXED)
    while len(strings) < count:
        if len(strings) % 2:
            alphabet = draw.choice(ALPHABETS)
            strings.append("".join(draw.choice(alphabet) for _ in range(draw.randint(1, 80))))
        else:
            start = draw.randrange(len(text) - 400)
            strings.append(text[start : start + draw.randint(1, 400)])
    return strings
