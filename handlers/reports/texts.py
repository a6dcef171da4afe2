"""What a reporter receives before there is a task. The county's texts.toml may replace any of these."""

TEXTS = {
    "ask_place": "情况已收到，请回复一句具体位置(路名+参照物)",
    "ask_words": "照片已收到，请补一句:在哪里、什么问题",
    "unclear": "没看懂要上报什么。请发一张照片加一句话，例如“西环路三角绿地雕塑上贴满小广告”",
    "voice": "语音听不了，请补一句文字，照片会一并受理",
    "which_photo": "这张照片是哪一单的?回复单号即可:\n{list}",
}
