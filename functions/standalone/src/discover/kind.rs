//! What a model is for: from what its server says of it, and from its name.
//!
//! A server's word is not enough on its own: LM Studio calls a reranker a language model, and Ollama says that a guard
//! model completes text. So a model is a chat model only when neither its server nor its name says otherwise.

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelKind {
    /// It answers.
    Chat,
    /// It turns text into vectors.
    Embedding,
    /// It orders texts by relevance.
    Reranking,
    /// It hears or speaks.
    Speech,
    /// It makes or compares pictures or videos.
    Image,
    /// It only reads text in pictures.
    Ocr,
    /// It only judges whether a text is allowed.
    Guard,
    /// It runs in a cloud, and this server only passes questions on: what people write would leave the company.
    Remote,
    /// Something else that does not answer: a classifier, a reward model, a translator of fixed languages.
    Other,
}

impl ModelKind {
    /// The word for people.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Reranking => "reranking",
            Self::Speech => "speech",
            Self::Image => "image",
            Self::Ocr => "OCR",
            Self::Guard => "guard",
            Self::Remote => "runs in a cloud",
            Self::Other => "not a chat model",
        }
    }
}

/// Kinds by what stands anywhere in a name. The first that fits decides: a `bge-reranker` is for reranking.
const ANYWHERE: [(&str, ModelKind); 43] = [
    ("rerank", ModelKind::Reranking),
    ("colbert", ModelKind::Reranking),
    ("cross-encoder", ModelKind::Reranking),
    ("ms-marco", ModelKind::Reranking),
    ("embed", ModelKind::Embedding),
    ("minilm", ModelKind::Embedding),
    ("sentence-transformers", ModelKind::Embedding),
    ("paraphrase-", ModelKind::Embedding),
    ("text2vec", ModelKind::Embedding),
    ("mxbai", ModelKind::Embedding),
    ("mpnet", ModelKind::Embedding),
    ("whisper", ModelKind::Speech),
    ("cosyvoice", ModelKind::Speech),
    ("sensevoice", ModelKind::Speech),
    ("funasr", ModelKind::Speech),
    ("paraformer", ModelKind::Speech),
    ("chattts", ModelKind::Speech),
    ("outetts", ModelKind::Speech),
    ("xtts", ModelKind::Speech),
    ("wav2vec", ModelKind::Speech),
    ("musicgen", ModelKind::Speech),
    ("fish-speech", ModelKind::Speech),
    ("gpt-sovits", ModelKind::Speech),
    ("diffusion", ModelKind::Image),
    ("dreamshaper", ModelKind::Image),
    ("sdxl", ModelKind::Image),
    ("dall-e", ModelKind::Image),
    ("hunyuanvideo", ModelKind::Image),
    ("hunyuanimage", ModelKind::Image),
    ("hunyuan-dit", ModelKind::Image),
    ("cogvideo", ModelKind::Image),
    ("cogview", ModelKind::Image),
    ("pixart", ModelKind::Image),
    ("controlnet", ModelKind::Image),
    ("esrgan", ModelKind::Image),
    ("shieldgemma", ModelKind::Guard),
    ("moderation", ModelKind::Guard),
    ("wildguard", ModelKind::Guard),
    ("deberta", ModelKind::Other),
    ("nllb-", ModelKind::Other),
    ("opus-mt", ModelKind::Other),
    ("reward", ModelKind::Other),
    ("classifier", ModelKind::Other),
];

/// Kinds by a whole part of a name, between its hyphens, dots, slashes and the like.
const PARTS: [(&str, ModelKind); 51] = [
    ("bge", ModelKind::Embedding),
    ("gte", ModelKind::Embedding),
    ("e5", ModelKind::Embedding),
    ("m3e", ModelKind::Embedding),
    ("bce", ModelKind::Embedding),
    ("jina", ModelKind::Embedding),
    ("uae", ModelKind::Embedding),
    ("gtr", ModelKind::Embedding),
    ("stella", ModelKind::Embedding),
    ("labse", ModelKind::Embedding),
    ("instructor", ModelKind::Embedding),
    ("voyage", ModelKind::Embedding),
    ("sbert", ModelKind::Embedding),
    ("splade", ModelKind::Embedding),
    ("acge", ModelKind::Embedding),
    ("asr", ModelKind::Speech),
    ("tts", ModelKind::Speech),
    ("stt", ModelKind::Speech),
    ("bark", ModelKind::Speech),
    ("kokoro", ModelKind::Speech),
    ("orpheus", ModelKind::Speech),
    ("parler", ModelKind::Speech),
    ("piper", ModelKind::Speech),
    ("vits", ModelKind::Speech),
    ("speecht5", ModelKind::Speech),
    ("parakeet", ModelKind::Speech),
    ("speech", ModelKind::Speech),
    ("transcribe", ModelKind::Speech),
    ("flux", ModelKind::Image),
    ("flux1", ModelKind::Image),
    ("flux2", ModelKind::Image),
    ("sd", ModelKind::Image),
    ("sd3", ModelKind::Image),
    ("image", ModelKind::Image),
    ("imagen", ModelKind::Image),
    ("kolors", ModelKind::Image),
    ("kandinsky", ModelKind::Image),
    ("wan2", ModelKind::Image),
    ("ltx", ModelKind::Image),
    ("sora", ModelKind::Image),
    ("veo", ModelKind::Image),
    ("sam", ModelKind::Image),
    ("sam2", ModelKind::Image),
    ("yolo", ModelKind::Image),
    ("dinov2", ModelKind::Image),
    ("donut", ModelKind::Ocr),
    ("nougat", ModelKind::Ocr),
    ("mineru", ModelKind::Ocr),
    ("surya", ModelKind::Ocr),
    ("prm", ModelKind::Other),
    ("rm", ModelKind::Other),
];

/// Kinds by the end of a part of a name: `modernbert`, `siglip`, `paddleocr`, `qwen3guard`.
const ENDS: [(&str, ModelKind); 5] = [
    ("bert", ModelKind::Embedding),
    ("clip", ModelKind::Image),
    ("siglip", ModelKind::Image),
    ("ocr", ModelKind::Ocr),
    ("guard", ModelKind::Guard),
];

/// Kinds by the beginning of a part of a name: `ocr2`, `guard3`, `guardian`.
const STARTS: [(&str, ModelKind); 2] = [("ocr", ModelKind::Ocr), ("guard", ModelKind::Guard)];

/// Kinds by a word of a server's own: a type, a task, a capability.
const WORDS: [(&str, ModelKind); 21] = [
    ("rerank", ModelKind::Reranking),
    ("score", ModelKind::Reranking),
    ("embed", ModelKind::Embedding),
    ("feature-extraction", ModelKind::Embedding),
    ("sentence-similarity", ModelKind::Embedding),
    ("pooling", ModelKind::Embedding),
    ("speech", ModelKind::Speech),
    ("audio", ModelKind::Speech),
    ("transcri", ModelKind::Speech),
    ("tts", ModelKind::Speech),
    ("stt", ModelKind::Speech),
    ("asr", ModelKind::Speech),
    ("image", ModelKind::Image),
    ("to-video", ModelKind::Image),
    ("diffus", ModelKind::Image),
    ("ocr", ModelKind::Ocr),
    ("moderation", ModelKind::Guard),
    ("reward", ModelKind::Other),
    ("classif", ModelKind::Other),
    ("translation", ModelKind::Other),
    ("fill-mask", ModelKind::Other),
];

/// What servers call a model that answers.
const CHAT_WORDS: [&str; 11] = [
    "llm",
    "vlm",
    "chat",
    "completion",
    "completions",
    "completion_chat",
    "text-generation",
    "image-text-to-text",
    "conversational",
    "generate",
    "generatecontent",
];

/// What a model's name says that it is for. Names of chat models say nothing, so that is what is left.
pub(crate) fn of_name(id: &str) -> ModelKind {
    let name = id.to_lowercase().replace('_', "-");
    // Ollama's models that run at ollama.com: `gpt-oss:120b-cloud`, `kimi-k2:cloud`.
    if name.split_once(':').is_some_and(|(_, tag)| tag == "cloud" || tag.ends_with("-cloud")) {
        return ModelKind::Remote;
    }
    let anywhere = ANYWHERE.iter().find(|(text, _)| name.contains(text));
    if let Some((_, kind)) = anywhere {
        return *kind;
    }
    let parts: Vec<&str> =
        name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let part = PARTS.iter().find(|(word, _)| parts.contains(word));
    let end = ENDS.iter().find(|(end, _)| parts.iter().any(|part| part.ends_with(end)));
    let start = STARTS.iter().find(|(start, _)| parts.iter().any(|part| part.starts_with(start)));
    end.or(part).or(start).map_or(ModelKind::Chat, |(_, kind)| *kind)
}

/// What a server's own words say that a model is for; nothing where they do not tell.
pub(crate) fn of_words<'w>(words: impl IntoIterator<Item = &'w str> + Clone) -> Option<ModelKind> {
    let lower = words.into_iter().map(str::to_lowercase).collect::<Vec<_>>();
    if lower.iter().any(|word| CHAT_WORDS.contains(&word.as_str())) {
        return Some(ModelKind::Chat);
    }
    WORDS.iter().find(|(part, _)| lower.iter().any(|word| word.contains(part))).map(|(_, kind)| *kind)
}

/// Whether a name is that of a model without instruction tuning, which goes on with a text instead of answering.
pub(crate) fn is_base(id: &str) -> bool {
    let name = id.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric())
        .any(|part| matches!(part, "base" | "pretrain" | "pretrained" | "pt" | "fim"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_model_is_for() {
        use ModelKind::{Chat, Embedding, Guard, Image, Ocr, Other, Remote, Reranking, Speech};
        for (kind, names) in [
            (
                Chat,
                "qwen3:latest qwen2.5-coder:7b llama3.2 meta-llama/Llama-3.3-70B-Instruct deepseek-r1:14b gpt-oss:20b \
                 gemma3:27b mistral-small granite3.3 phi4 glm-4.6 kimi-k2 MiniMax-M2 snowflake-arctic-instruct \
                 Qwen2.5-VL-7B-Instruct internvl3 llava:13b yi:34b command-r7b smollm2 hunyuan-a13b ernie-4.5 \
                 /models/Qwen3-32B-Q4_K_M.gguf nemotron-nano olmo2 falcon3 baichuan2 qwen2.5-omni voxtral-mini acme-7b \
                 DeepSeek-V3.1-Terminus solar-pro tulu3 cogito exaone-deep wizardlm2 openchat zephyr",
            ),
            (
                Embedding,
                "nomic-embed-text:latest bge-m3 BAAI/bge-large-zh-v1.5 gte-Qwen2-7B-instruct \
                 intfloat/e5-mistral-7b-instruct multilingual-e5-large jina-embeddings-v3 mxbai-embed-large \
                 snowflake-arctic-embed2 all-minilm:l6-v2 embeddinggemma qwen3-embedding:0.6b text-embedding-3-large \
                 granite-embedding paraphrase-multilingual sentence-transformers/all-mpnet-base-v2 moka-ai/m3e-base \
                 bce-embedding-base_v1 text-embedding-nomic-embed-text-v1.5 nomic-bert /models/bge-m3-Q8_0.gguf \
                 infgrad/stella-base-zh ModernBERT",
            ),
            (
                Reranking,
                "bge-reranker-v2-m3 qwen3-reranker-4b jina-reranker-v2 jina-colbert-v2 cross-encoder/ms-marco-TinyBERT \
                 mxbai-rerank-large colbertv2.0",
            ),
            (
                Speech,
                "whisper-1 Systran/faster-whisper-large-v3 tts-1-hd qwen3-asr qwen3-tts kokoro-82m CosyVoice2-0.5B \
                 SenseVoiceSmall orpheus-3b-0.1-ft F5-TTS fish-speech-1.5 ChatTTS gpt-4o-transcribe parakeet-tdt",
            ),
            (
                Image,
                "flux.1-dev FLUX.1-schnell stable-diffusion-3.5 sd3-medium sdxl-turbo dall-e-3 gpt-image-1 qwen-image \
                 z-image-turbo clip-vit-large chinese-clip siglip-so400m jina-clip-v2 Kolors Wan2.1-T2V CogVideoX-5b",
            ),
            (Remote, "gpt-oss:120b-cloud kimi-k2:cloud"),
            (Ocr, "deepseek-ocr GOT-OCR2_0 PaddleOCR-VL olmOCR-7B nanonets-ocr-s nougat-base"),
            (
                Guard,
                "llama-guard3:8b shieldgemma:2b Qwen3Guard-Gen-8B granite3-guardian omni-moderation-latest \
                 gpt-oss-safeguard:20b",
            ),
            (
                Other,
                "Skywork-Reward-Llama-3.1-8B Qwen2.5-Math-RM-72B Qwen2.5-Math-PRM-7B nllb-200-3.3B deberta-v3",
            ),
        ] {
            for name in names.split_whitespace() {
                assert_eq!(of_name(name), kind, "{name}");
            }
        }
    }

    #[test]
    fn a_servers_own_words_tell_what_a_model_is_for() {
        for (words, kind) in [
            (vec!["llm"], Some(ModelKind::Chat)),
            (vec!["vlm"], Some(ModelKind::Chat)),
            (vec!["completion", "tools", "thinking"], Some(ModelKind::Chat)),
            (vec!["embeddings"], Some(ModelKind::Embedding)),
            (vec!["embedding"], Some(ModelKind::Embedding)),
            (vec!["rerank"], Some(ModelKind::Reranking)),
            (vec!["automatic-speech-recognition"], Some(ModelKind::Speech)),
            (vec!["text-to-image"], Some(ModelKind::Image)),
            (vec!["model"], None),
            (vec!["tools", "vision"], None),
            (vec![], None),
        ] {
            assert_eq!(of_words(words.iter().copied()), kind, "{words:?}");
        }
    }

    #[test]
    fn base_models_are_told_from_tuned_ones() {
        for base in ["qwen2.5-coder:7b-base", "Qwen/Qwen3-8B-Base", "gemma-3-4b-pt"] {
            assert!(is_base(base), "{base}");
        }
        for tuned in ["qwen3:latest", "basement-7b", "gemma-3-4b-it"] {
            assert!(!is_base(tuned), "{tuned}");
        }
    }
}
